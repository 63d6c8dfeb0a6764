/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The sizes and modes that the images of a data set have as they are stored, counted while they are read.
 */
#ifndef MASKDM_DATA_FORMS_H
#define MASKDM_DATA_FORMS_H

#include "base/log.h"
#include "image/image.h"

#include <pthread.h>

enum { MDM_FORMS_SIZES = 64, MDM_FORMS_MODES = 4 };

struct mdm_forms {
    pthread_mutex_t lock;
    int64_t images;
    int sizes;             /* that are counted one by one; */
    int64_t beyond;        /* images of further ones */
    struct mdm_forms_size {
        int64_t height, width, count;
    } size[MDM_FORMS_SIZES], least, most; /* of all images, each side by itself */
    int64_t mode[MDM_FORMS_MODES + 1][2]; /* by channels, and whether of 16 bits */
};

void mdm_forms_begin(struct mdm_forms *f);
void mdm_forms_end(struct mdm_forms *f);
/* `count` images of one form; from any thread. */
void mdm_forms_add(struct mdm_forms *f, const struct mdm_image_form *form, int64_t count);
/* "sizes 32x32 (19998), 40x48 (2); RGB 18000, grey 2000", height x width, the most frequent ones, where there are
 * any. What is said depends on the images alone, not on the order in which they came. */
void mdm_forms_tell(const struct mdm_forms *f, const struct mdm_log *log);

#endif
