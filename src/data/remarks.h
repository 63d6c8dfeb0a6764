/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Remarks on the images of a folder, one line for each kind whatever the number of images.
 */
#ifndef MASKDM_DATA_REMARKS_H
#define MASKDM_DATA_REMARKS_H

#include "base/log.h"
#include "image/remark.h"

#include <pthread.h>

struct mdm_remark_counts {
    pthread_mutex_t lock;
    struct {
        int64_t images, first, number; /* images with this remark; the first one's index and number */
    } kind[MDM_REMARKS];
};

void mdm_remark_counts_begin(struct mdm_remark_counts *c);
void mdm_remark_counts_end(struct mdm_remark_counts *c);
/* From any thread. What is said later depends on the images alone, not on the order in which they come. */
void mdm_remark_counts_add(struct mdm_remark_counts *c, int64_t image, const struct mdm_remarks *r);
/* path(user, image): the path of an image that was added. */
void mdm_remark_counts_log(const struct mdm_remark_counts *c, const struct mdm_log *log,
                           const char *(*path)(const void *user, int64_t image), const void *user);

#endif
