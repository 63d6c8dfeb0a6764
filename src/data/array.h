/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Images that are arrays of samples in one file or in several, one after the other: what sources of such images
 * share.
 */
#ifndef MASKDM_DATA_ARRAY_H
#define MASKDM_DATA_ARRAY_H

#include "data/source.h"
#include "tensorfile/tensorfile.h"

struct mdm_array {
    struct mdm_tensorfile *file;
    int files;
    int planar;   /* channels one behind the other, each row by row */
    uint64_t one; /* bytes of an image; from s->samples */
};

/* s->source, with room for so many files. */
int mdm_array_begin(struct mdm_scan *s, const char *path, int files);
/* Open file k of the array, of whatever kind, as the bytes that it has. */
int mdm_array_open(struct mdm_scan *s, int k, const char *path);
/* Set s->samples; sides and channels that no image has are MASKDM_EFORMAT. */
int mdm_array_shape(struct mdm_scan *s, int64_t height, int64_t width, int64_t channels, int bits, int planar);
/* One image at `at` of file k, called STEM-0042, or 0042 where stem is "", in the folder of its label where that is
 * >= 0; `count` of them have such a stem. The label is of s->label. */
int mdm_array_add(struct mdm_scan *s, const char *path, const char *stem, int64_t i, int64_t count, int32_t label,
                  int k, uint64_t at);
/* The same under a name of its own. */
int mdm_array_add_named(struct mdm_scan *s, const char *path, const char *name, int32_t label, int k, uint64_t at);

/* ---- for classes ---- */
int mdm_array_bytes(const struct mdm_scan *s, int64_t i, void *out, size_t n, uint64_t at);
int mdm_array_samples(const struct mdm_scan *s, int64_t i, void *out);
void mdm_array_close(void *source);

#endif
