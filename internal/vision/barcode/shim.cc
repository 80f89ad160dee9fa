#include "shim.h"

#include <cstdlib>
#include <cstring>

#include <ReadBarcode.h>

using namespace ZXing;

int bonafide_pdf417(const unsigned char *grey, int width, int height, int turns, bonafide_symbol *out) {
	// An exception must not reach Go.
	try {
		DecodeHints hints;
		hints.setFormats(BarcodeFormat::PDF417).setTryHarder(true).setTryRotate(turns != 0).setTryDownscale(false).setMaxNumberOfSymbols(1);
		Result r = ReadBarcode(ImageView(grey, width, height, ImageFormat::Lum), hints);
		if (!r.isValid())
			return 0;
		const ByteArray &b = r.bytes();
		out->bytes = static_cast<char *>(malloc(b.size() + 1));
		if (!out->bytes)
			return 0;
		memcpy(out->bytes, b.data(), b.size());
		out->length = b.size();
		for (int i = 0; i < 4; i++) {
			out->x[i] = r.position()[i].x;
			out->y[i] = r.position()[i].y;
		}
		return 1;
	} catch (...) {
		return 0;
	}
}
