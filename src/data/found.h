/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The entries of an archive on their way into a list of images: what a folder does by its walk, for sources whose
 * entries come one after the other with their whole names. Which are images, hidden, or of other formats is told as
 * of a folder.
 */
#ifndef MASKDM_DATA_FOUND_H
#define MASKDM_DATA_FOUND_H

#include "data/label_list.h"
#include "data/left_out.h"

enum { MDM_FOUND_NAME = 4096 }; /* bytes of an entry's name */

struct mdm_found {
    struct mdm_scan *scan;
    const char *path; /* of the archive */
    const struct mdm_log *log;
    maskdm_control *control;
    struct mdm_left_out left;
    /* By whole names; by names up to the first dot, out of .cls and out of .json files. The first that has any
     * counts. */
    struct mdm_label_list labels, cls, json;
    int unlabelled; /* it is said that there are none, so that folders are none either */
    double told;
    char name[MDM_FOUND_NAME]; /* of the entry at hand */
};

void mdm_found_begin(struct mdm_found *f, struct mdm_scan *s, const char *path, const struct mdm_log *log,
                     maskdm_control *control);
/* Put an entry's name into f->name, as it is below a folder: without "." and doubled slashes. One that is empty, too
 * long, absolute or leads outside is MASKDM_EFORMAT. `place` is for the line of the error. */
int mdm_found_name(struct mdm_found *f, const char *name, size_t n, uint64_t place);
/* Whether a part of a name begins with a dot: what systems put beside files. */
int mdm_found_is_hidden(const char *name);
/* The entry named so is a file of so many bytes: added where it is an image, counted where it would be missed. */
int mdm_found_file(struct mdm_found *f, uint64_t bytes, uint64_t place);
/* It is something else, of a kind that is counted where it is named as an image. */
int mdm_found_other(struct mdm_found *f, enum mdm_left_out_kind kind);
/* All have come, with `status`: sort them, give them their labels, and tell what was left out. No two may have one
 * name. A folder that holds everything else, and folders among that, is taken for the data's own. */
int mdm_found_end(struct mdm_found *f, int status);

#endif
