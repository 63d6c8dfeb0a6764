/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Patterns.
 */
#include "text/pattern.h"

#include <string.h>

/* After a mismatch the last '*' takes one more. */
int mdm_pattern_matches(const char *pattern, size_t length, const char *name)
{
    const char *end = pattern + length, *star = NULL, *tried = name;

    while (*name) {
        if (pattern < end && *pattern == '*') {
            star = pattern++;
            tried = name;
        } else if (pattern < end && (*pattern == '?' || *pattern == *name)) {
            pattern++;
            name++;
        } else if (star) {
            pattern = star + 1;
            name = ++tried;
        } else {
            return 0;
        }
    }
    while (pattern < end && *pattern == '*')
        pattern++;
    return pattern == end;
}

const char *mdm_pattern_next(const char **at, size_t *length)
{
    static const char blanks[] = " \t", gaps[] = " \t,";
    const char *from = *at + strspn(*at, gaps);

    *length = strcspn(from, ",");
    *at = from + *length;
    while (*length && strchr(blanks, from[*length - 1]))
        --*length;
    return *length ? from : NULL;
}
