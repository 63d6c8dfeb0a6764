/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Counting endings.
 */
#include "data/endings.h"

#include "base/format.h"
#include "base/sort.h"

#include <string.h>

enum { TOLD = 6 /* endings that are named, the most frequent first */ };

static void count(struct mdm_endings *e, const char *text, int64_t n)
{
    int k = 0;

    while (k < e->kinds && strcmp(e->kind[k].text, text) != 0)
        k++;
    if (k == MDM_ENDINGS) {
        e->others += n;
        return;
    }
    if (k == e->kinds) {
        mdm_format(e->kind[k].text, sizeof e->kind[k].text, "%s", text);
        e->kinds++;
    }
    e->kind[k].count += n;
}

void mdm_endings_add(struct mdm_endings *e, const char *name)
{
    const char *slash = strrchr(name, '/'), *own = slash ? slash + 1 : name, *dot = strrchr(own, '.');
    char text[MDM_ENDING_TEXT] = "";
    const size_t n = dot && dot > own ? strlen(dot) : 0;

    if (n >= sizeof text) {
        e->others++;
        return;
    }
    for (size_t i = 0; i < n; i++)
        text[i] = (char)(dot[i] >= 'A' && dot[i] <= 'Z' ? dot[i] + ('a' - 'A') : dot[i]);
    count(e, text, 1);
}

void mdm_endings_join(struct mdm_endings *e, const struct mdm_endings *more)
{
    for (int k = 0; k < more->kinds; k++)
        count(e, more->kind[k].text, more->kind[k].count);
    e->others += more->others;
}

static int compare(const void *user, int64_t a, int64_t b)
{
    const struct mdm_ending *kind = user;

    if (kind[a].count != kind[b].count)
        return kind[a].count > kind[b].count ? -1 : 1;
    return strcmp(kind[a].text, kind[b].text);
}

void mdm_endings_order(const struct mdm_endings *e, int64_t order[MDM_ENDINGS])
{
    for (int k = 0; k < e->kinds; k++)
        order[k] = k;
    mdm_sort(order, e->kinds, compare, e->kind);
}

void mdm_endings_tell(const struct mdm_endings *e, const struct mdm_log *log)
{
    char line[160] = "";
    int64_t left = e->others, order[MDM_ENDINGS];
    size_t n = 0;

    mdm_endings_order(e, order);
    for (int k = 0; k < e->kinds; k++) {
        const struct mdm_ending *at = &e->kind[order[k]];

        if (k >= TOLD)
            left += at->count;
        else
            mdm_format(line + n, sizeof line - n, "%s%s %lld", n ? ", " : "", *at->text ? at->text : "no ending",
                       (long long)at->count);
        n = strlen(line);
    }
    if (left)
        mdm_format(line + n, sizeof line - n, "%sothers %lld", n ? ", " : "", (long long)left);
    if (*line)
        mdm_log_line(log, MASKDM_LOG_INFO, "ignored as no images: %s", line);
}
