#pragma once
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

// A symbol that was read. bytes belongs to the caller and is freed with free().
typedef struct {
	char *bytes;
	size_t length;
	int x[4], y[4]; // corners clockwise from the top left
} bonafide_symbol;

// bonafide_pdf417 reads one PDF417 symbol from a grey picture, row after row without
// padding. It returns 1 when it read one, 0 when there is none to read.
int bonafide_pdf417(const unsigned char *grey, int width, int height, int turns, bonafide_symbol *out);

#ifdef __cplusplus
}
#endif
