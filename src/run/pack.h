/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Packing: images out of any source, decoded once, into one file that training reads in place.
 */
#ifndef MASKDM_RUN_PACK_H
#define MASKDM_RUN_PACK_H

#include "data/scan.h"
#include "option/option.h"

/* options: kind "pack". */
int mdm_pack_run(const maskdm_options *options, maskdm_control *control);

/* ---- pack_file.c: the file while it grows ----
 *
 * Its name has .part behind it. In front there is room for the header, and in that what the file is begun of; then
 * come the images, room for labels and names, all of it for as many images as were found, and behind that one byte
 * for each of them: what became of it. So the file tells by itself how far it is, until it is done and cut to what
 * it holds. */
enum mdm_packed_state { MDM_PACKED_TO_COME, MDM_PACKED_IN, MDM_PACKED_OUT };

struct mdm_pack_file {
    struct mdm_part *part;
    const struct mdm_scan *scan;
    int64_t height, width;
    int channels, bits;
    size_t head, one;     /* bytes before the images; of an image */
    uint64_t tail;        /* most bytes of labels and names */
    unsigned char *state; /* enum mdm_packed_state of every image */
    int64_t next, packed; /* the first image to come; how many are in */
    uint64_t unflushed;   /* bytes that the disk may not have yet */
};

/* `begun`: what tells this work from other work. Go on where an earlier call has stopped, where that is wanted and
 * there was one; MASKDM_EINVAL: that was of other work. */
int mdm_pack_file_open(struct mdm_pack_file *f, const char *path, int go_on, const char *begun);
/* Image f->next is these samples, of f->bits in the host's order; NULL: it is left out. */
int mdm_pack_file_add(struct mdm_pack_file *f, const void *samples);
/* What was added stays whatever happens. */
int mdm_pack_file_flush(struct mdm_pack_file *f);
/* Labels, names, header; then the file has its name. */
int mdm_pack_file_finish(struct mdm_pack_file *f);
void mdm_pack_file_close(struct mdm_pack_file *f);

#endif
