/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What opening a folder and using it share.
 */
#ifndef MASKDM_DATA_FOLDER_PRIVATE_H
#define MASKDM_DATA_FOLDER_PRIVATE_H

#include "data/data.h"
#include "data/forms.h"
#include "data/loader.h"
#include "data/reading.h"
#include "data/remarks.h"

struct mdm_cached {
    void *samples; /* u8 or u16, NULL: not cached yet */
    int bits;
};

/* A file stands at the same place in the list and in the cache. */
struct mdm_folder {
    maskdm_data base;
    char *path; /* the folder's own */
    struct mdm_scan scan;
    struct mdm_reading reading;
    struct mdm_remark_counts remarks;
    struct mdm_forms forms;
    size_t limit;              /* bytes that the cache may have */
    int in_place;              /* images are arrays of just this size: read when they are asked for */
    int looking;               /* the loader looks at the first bytes of files, no more */
    struct mdm_loader *loader; /* NULL once everything is cached */
    struct mdm_cached *cache;  /* NULL: images are streamed */
    int64_t cached;            /* images in it */
    uint16_t *picture;         /* one image, for the reading thread */
    int64_t *wanted;           /* scratch of expect() */
    int64_t wanted_length;
    size_t counted, ahead; /* bytes at the device: images, loader */
};

extern const struct mdm_data_class mdm_folder_class;

int mdm_folder_load(void *user, int64_t index, uint16_t *samples, int *bits);
/* Bytes of the device for one of the counters above. */
int mdm_folder_count(struct mdm_folder *d, size_t *counter, size_t bytes, const char *what);
void mdm_folder_uncount(struct mdm_folder *d, size_t *counter, size_t bytes);
/* Put image i, which stands in d->picture, into the cache; a cache that outgrows its limit is given up. */
int mdm_folder_keep(struct mdm_folder *d, int64_t i, int bits);
/* Once every image is cached the loader has done its work. */
void mdm_folder_settle(struct mdm_folder *d);

#endif
