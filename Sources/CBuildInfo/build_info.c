#include "build_info.h"

const char *narthex_revision(void) { return NARTHEX_REVISION; }
const char *narthex_branch(void) { return NARTHEX_BRANCH; }
const char *narthex_build_user(void) { return NARTHEX_BUILD_USER; }
const char *narthex_build_date(void) { return NARTHEX_BUILD_DATE; }
