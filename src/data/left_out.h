/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What a folder holds beside the images that are read: counted by kind, so that a thousand broken links are one line.
 */
#ifndef MASKDM_DATA_LEFT_OUT_H
#define MASKDM_DATA_LEFT_OUT_H

#include "base/log.h"

#include <stdint.h>

enum mdm_left_out_kind {
    MDM_LEFT_BROKEN_LINK,
    MDM_LEFT_LINK_CIRCLE,
    MDM_LEFT_LONG_PATH,
    MDM_LEFT_UNREACHABLE,
    MDM_LEFT_FIFO,
    MDM_LEFT_SOCKET,
    MDM_LEFT_DEVICE,
    MDM_LEFT_FOLDER_UNREADABLE,
    MDM_LEFT_FOLDER_LOOP,
    MDM_LEFT_FOLDER_DEEP,
    MDM_LEFT_FOLDER_RUN,
    MDM_LEFT_HIDDEN,
    MDM_LEFT_LINK,
    MDM_LEFT_KINDS,
    MDM_LEFT_FORMATS = 32 /* room behind the kinds: one for each format that is known and not read */
};

struct mdm_left_out {
    struct {
        int64_t count;
        char *first; /* its path, or the error line that names it */
    } kind[MDM_LEFT_KINDS + MDM_LEFT_FORMATS];
};

/* The kind of a file that is named as a picture or an archive of a format that is not read, or -1. */
int mdm_left_out_format(const char *name);
int mdm_left_out_add(struct mdm_left_out *l, int kind, const char *first);
/* A line for each kind. */
void mdm_left_out_tell(const struct mdm_left_out *l, const struct mdm_log *log);
/* MASKDM_EINVAL: there is no image below `path`, and what there is most of instead. */
int mdm_left_out_fail(const struct mdm_left_out *l, const char *path);
void mdm_left_out_free(struct mdm_left_out *l);

/* Whether `name` has something before the suffix `suffix` (".png"), in small or capital letters. */
int mdm_has_suffix(const char *name, const char *suffix);

#endif
