#ifndef NARTHEX_WEB_ASSETS_H
#define NARTHEX_WEB_ASSETS_H
#include <stddef.h>

/// One file of Sources/Web/Assets, embedded when the binary is compiled.
typedef struct {
    const char *path;
    const unsigned char *bytes;
    size_t length;
} web_asset;

/// All assets, sorted by path.
const web_asset *web_assets(size_t *count);

#endif
