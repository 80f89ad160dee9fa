package httpapi

// All lists everything that is served.
func (s *Server) All() []Route { return s.routes }
