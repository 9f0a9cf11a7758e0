#include "web_assets.h"

const web_asset *web_assets(size_t *count) {
    *count = 0;
    return 0;
}
