/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Counting remarks.
 */
#include "data/remarks.h"

#include <string.h>

void maskdm_remark_counts_begin(struct maskdm_remark_counts *c)
{
    memset(c, 0, sizeof *c);
    pthread_mutex_init(&c->lock, NULL);
}

void maskdm_remark_counts_end(struct maskdm_remark_counts *c)
{
    pthread_mutex_destroy(&c->lock);
}

void maskdm_remark_counts_add(struct maskdm_remark_counts *c, int64_t image, const struct maskdm_remarks *r)
{
    pthread_mutex_lock(&c->lock);
    for (int k = 0; k < MASKDM_REMARKS; k++) {
        if (!r->times[k])
            continue;
        if (!c->kind[k].images++ || image < c->kind[k].first) {
            c->kind[k].first = image;
            c->kind[k].number = r->number[k];
        }
    }
    pthread_mutex_unlock(&c->lock);
}

void maskdm_remark_counts_log(const struct maskdm_remark_counts *c, const struct maskdm_log *log,
                              const char *(*path)(const void *user, int64_t image), const void *user)
{
    char text[128];

    for (int k = 0; k < MASKDM_REMARKS; k++) {
        const int64_t n = c->kind[k].images;

        if (!n)
            continue;
        maskdm_remark_text(text, sizeof text, (enum maskdm_remark)k, c->kind[k].number);
        maskdm_log_line(log, maskdm_remark_is_fault((enum maskdm_remark)k) ? MASKDM_LOG_WARN : MASKDM_LOG_INFO,
                        "%lld image%s read with a remark, %s%s: %s", (long long)n, n == 1 ? " was" : "s were",
                        n == 1 ? "" : "first ", path(user, c->kind[k].first), text);
    }
}
