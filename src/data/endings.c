/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Counting endings.
 */
#include "data/endings.h"

#include "base/format.h"

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

static int before(const struct mdm_ending *a, const struct mdm_ending *b)
{
    return a->count != b->count ? a->count > b->count : strcmp(a->text, b->text) < 0;
}

const struct mdm_ending *mdm_endings_at(const struct mdm_endings *e, int k)
{
    for (int i = 0; i < e->kinds; i++) {
        int rank = 0;

        for (int j = 0; j < e->kinds; j++)
            rank += before(&e->kind[j], &e->kind[i]);
        if (rank == k)
            return &e->kind[i];
    }
    return NULL;
}

void mdm_endings_tell(const struct mdm_endings *e, const struct mdm_log *log)
{
    char line[160] = "";
    int64_t left = e->others;
    size_t n = 0;

    for (int k = 0; k < e->kinds; k++) {
        const struct mdm_ending *at = mdm_endings_at(e, k);

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
