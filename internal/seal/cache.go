package seal

import (
	"container/list"
	"sync"
)

// cache holds the data keys that were used last.
type cache struct {
	limit int
	mu    sync.Mutex
	order list.List // of cached, the last used in front
	at    map[string]*list.Element
}

type cached struct {
	name string
	key  *Key
}

func (c *cache) get(name string) (*Key, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e, ok := c.at[name]
	if !ok {
		return nil, false
	}
	c.order.MoveToFront(e)
	return e.Value.(cached).key, true
}

func (c *cache) put(name string, k *Key) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.at == nil {
		c.at = make(map[string]*list.Element)
	}
	if e, ok := c.at[name]; ok {
		c.order.Remove(e)
	}
	c.at[name] = c.order.PushFront(cached{name, k})
	if c.order.Len() > c.limit {
		last := c.order.Back()
		c.order.Remove(last)
		delete(c.at, last.Value.(cached).name)
	}
}

func (c *cache) drop(name string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if e, ok := c.at[name]; ok {
		c.order.Remove(e)
		delete(c.at, name)
	}
}
