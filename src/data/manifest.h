/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What tells the data of a run from others: names below their folder, sizes in bytes, their last bytes, labels.
 * Neither where the folder is nor how its path is spelt, nor times of files. Of images that the host holds, their
 * number, their labels where they are in memory, and no more.
 */
#ifndef MASKDM_DATA_MANIFEST_H
#define MASKDM_DATA_MANIFEST_H

#include "data/data.h"
#include "data/scan.h"
#include "text/text.h"

enum { MDM_IDENTITY = 192, MDM_MANIFEST_FORMAT = 1 }; /* the latter rises when a list comes to mean something else */

/* "40 images of 16 x 16 x 3, " and a digest: for a line in another file. */
void mdm_data_identity(const maskdm_data *data, char out[MDM_IDENTITY]);
/* The identity and all that went into it, as JSON (doc/formats.md). */
int mdm_manifest_write(const maskdm_data *data, struct mdm_text *out);
/* The first difference as the end of a sentence ("b/17.png is gone"), or nothing when the manifests tell of the same
 * data. MASKDM_EFORMAT: `old` is no manifest; MASKDM_EVERSION: it is one of another format. */
int mdm_manifest_difference(struct mdm_text *out, const char *old, size_t old_bytes, const char *now,
                            size_t now_bytes);
/* The one at `path`, mdm_free() it; *out NULL where there is no such file. */
int mdm_manifest_load(char **out, size_t *bytes, const char *path);
/* Whether there is one at `path`, and the difference of these data to it, as above; one that is not understood, and
 * can tell of no equality, is a difference too. Marks the data's files first (data.h). */
int mdm_manifest_compare(int *is_there, struct mdm_text *difference, const char *path, maskdm_data *data,
                         maskdm_control *control);
/* 1: the manifest is of these very files; those that were left out then are marked, and the list is settled, so that
 * none has to be decoded to know the images. 0: it is of others, or no manifest; nothing is marked. */
int mdm_manifest_knows(struct mdm_scan *found, const char *manifest, size_t bytes);

#endif
