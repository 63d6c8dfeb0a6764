/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What a folder holds beside the images that are read: counted by kind, so that a thousand broken links are one line.
 */
#ifndef MASKDM_DATA_LEFT_OUT_H
#define MASKDM_DATA_LEFT_OUT_H

#include "util/log.h"

#include <stdint.h>

enum maskdm_left_out_kind {
    MASKDM_LEFT_BROKEN_LINK,
    MASKDM_LEFT_LINK_CIRCLE,
    MASKDM_LEFT_LONG_PATH,
    MASKDM_LEFT_UNREACHABLE,
    MASKDM_LEFT_FIFO,
    MASKDM_LEFT_SOCKET,
    MASKDM_LEFT_DEVICE,
    MASKDM_LEFT_FOLDER_UNREADABLE,
    MASKDM_LEFT_FOLDER_LOOP,
    MASKDM_LEFT_FOLDER_DEEP,
    MASKDM_LEFT_FOLDER_RUN,
    MASKDM_LEFT_HIDDEN,
    MASKDM_LEFT_KINDS,
    MASKDM_LEFT_FORMATS = 32 /* room behind the kinds: one for each format that is known and not read */
};

struct maskdm_left_out {
    struct {
        int64_t count;
        char *first; /* its path, or the error line that names it */
    } kind[MASKDM_LEFT_KINDS + MASKDM_LEFT_FORMATS];
};

/* The kind of a file that is named as a picture or an archive of a format that is not read, or -1. */
int maskdm_left_out_format(const char *name);
int maskdm_left_out_add(struct maskdm_left_out *l, int kind, const char *first);
/* A line for each kind. */
void maskdm_left_out_tell(const struct maskdm_left_out *l, const struct maskdm_log *log);
/* MASKDM_EINVAL: there is no image below `path`, and what there is most of instead. */
int maskdm_left_out_fail(const struct maskdm_left_out *l, const char *path);
void maskdm_left_out_free(struct maskdm_left_out *l);

/* Whether `name` has something before the suffix `suffix` (".png"), in small or capital letters. */
int maskdm_has_suffix(const char *name, const char *suffix);

#endif
