#pragma once

// What was built: given by the Makefile in the environment of the build, "unknown" where it is not.
const char *narthex_revision(void);
const char *narthex_branch(void);
const char *narthex_build_user(void);
const char *narthex_build_date(void);
