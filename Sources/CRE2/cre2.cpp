#include "cre2.h"
#include <memory>
#include <re2/re2.h>
#include <vector>

struct cre2_regex {
    RE2 re;
    cre2_regex(const re2::StringPiece &pattern, const RE2::Options &options) : re(pattern, options) {}
};

extern "C" {

cre2_regex *cre2_compile(const char *pattern, size_t length, int64_t max_memory, bool case_insensitive) {
    RE2::Options options;
    options.set_log_errors(false);
    options.set_dot_nl(true);
    options.set_max_mem(max_memory);
    options.set_case_sensitive(!case_insensitive);
    return new cre2_regex(re2::StringPiece(pattern, length), options);
}

void cre2_free(cre2_regex *regex) { delete regex; }
bool cre2_ok(const cre2_regex *regex) { return regex->re.ok(); }

const char *cre2_error(const cre2_regex *regex, size_t *length) {
    *length = regex->re.error().size();
    return regex->re.error().data();
}

const char *cre2_error_argument(const cre2_regex *regex, size_t *length) {
    *length = regex->re.error_arg().size();
    return regex->re.error_arg().data();
}

int cre2_error_code(const cre2_regex *regex) { return regex->re.error_code(); }
int cre2_group_count(const cre2_regex *regex) { return regex->re.NumberOfCapturingGroups(); }

const char *cre2_group_name(const cre2_regex *regex, int index, size_t *length) {
    const auto &names = regex->re.CapturingGroupNames();
    auto found = names.find(index);
    if (found == names.end()) return nullptr;
    *length = found->second.size();
    return found->second.data();
}

bool cre2_full_match(const cre2_regex *regex, const char *text, size_t length) {
    return regex->re.Match(re2::StringPiece(text, length), 0, length, RE2::ANCHOR_BOTH, nullptr, 0);
}

bool cre2_partial_match(const cre2_regex *regex, const char *text, size_t length) {
    return regex->re.Match(re2::StringPiece(text, length), 0, length, RE2::UNANCHORED, nullptr, 0);
}

bool cre2_full_match_groups(const cre2_regex *regex, const char *text, size_t length, ptrdiff_t *offsets, int count) {
    std::vector<re2::StringPiece> groups(count);
    if (!regex->re.Match(re2::StringPiece(text, length), 0, length, RE2::ANCHOR_BOTH, groups.data(), count)) return false;
    for (int i = 0; i < count; i++) {
        bool took_part = groups[i].data() != nullptr;
        offsets[2 * i] = took_part ? groups[i].data() - text : -1;
        offsets[2 * i + 1] = took_part ? offsets[2 * i] + (ptrdiff_t)groups[i].size() : -1;
    }
    return true;
}
}
