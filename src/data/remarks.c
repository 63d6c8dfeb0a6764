/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Counting remarks.
 */
#include "data/remarks.h"

#include <string.h>

void mdm_remark_counts_begin(struct mdm_remark_counts *c)
{
    memset(c, 0, sizeof *c);
    pthread_mutex_init(&c->lock, NULL);
}

void mdm_remark_counts_end(struct mdm_remark_counts *c)
{
    pthread_mutex_destroy(&c->lock);
}

void mdm_remark_counts_add(struct mdm_remark_counts *c, int64_t image, const struct mdm_remarks *r)
{
    pthread_mutex_lock(&c->lock);
    for (int k = 0; k < MDM_REMARKS; k++) {
        if (!r->times[k])
            continue;
        if (!c->kind[k].images++ || image < c->kind[k].first) {
            c->kind[k].first = image;
            c->kind[k].number = r->number[k];
        }
    }
    pthread_mutex_unlock(&c->lock);
}

void mdm_remark_counts_log(const struct mdm_remark_counts *c, const struct mdm_log *log,
                           const char *(*path)(const void *user, int64_t image), const void *user)
{
    char text[128];

    for (int k = 0; k < MDM_REMARKS; k++) {
        const int64_t n = c->kind[k].images;

        if (!n)
            continue;
        mdm_remark_text(text, sizeof text, (enum mdm_remark)k, c->kind[k].number);
        mdm_log_line(log, mdm_remark_is_fault((enum mdm_remark)k) ? MASKDM_LOG_WARN : MASKDM_LOG_INFO,
                     "%lld image%s read with a remark, %s%s: %s", (long long)n, n == 1 ? " was" : "s were",
                     n == 1 ? "" : "first ", path(user, c->kind[k].first), text);
    }
}
