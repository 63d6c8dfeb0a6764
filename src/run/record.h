/* SPDX-License-Identifier: BSD-2-Clause
 *
 * options.json of a folder that a job fills: what the job was told, to be held against what one is told that goes on
 * in it.
 */
#ifndef MASKDM_RUN_RECORD_H
#define MASKDM_RUN_RECORD_H

#include "option/option.h"
#include "text/text.h"

#define MDM_RECORD_NAME "options.json"
enum { MDM_RECORD_KIND = 32 }; /* bytes of a kind's name with its NUL */

int mdm_record_write(const char *folder, const maskdm_options *options);
/* In place of a file, whole or not at all. */
int mdm_record_write_bytes(const char *path, const void *bytes, size_t n);
/* Any text, as a file of the folder; frees it. */
int mdm_record_write_text(const char *folder, const char *name, struct mdm_text *text);
/* Of which kind of job it is, "" where it does not say. MASKDM_ENOTFOUND where there is no record. */
int mdm_record_kind(char out[MDM_RECORD_KIND], const char *folder);
/* Go on with the job of a folder: what is not set in `o` becomes what the record says, `out` is the folder, and
 * `resume` true. MASKDM_EINVAL for a job of another kind, and where `o` has another `out`. */
int mdm_record_load(maskdm_options *o, const char *folder);
/* The step of a training state by its file's name, -1: it is none. */
int64_t mdm_checkpoint_step(const char *name);
/* Steps of such states as they are found: all 0 at first, and `step` is to be freed. */
struct mdm_checkpoints {
    int64_t *step;
    int64_t count, capacity;
};
int mdm_checkpoint_add(struct mdm_checkpoints *list, int64_t step);
/* A folder without a record is fine: *out is NULL. */
int mdm_record_read(maskdm_options **out, const char *folder, const struct mdm_option_kind *kind);
/* MASKDM_EINVAL for the first option that differs and may not. */
int mdm_record_compare(const char *folder, const maskdm_options *old, const maskdm_options *now);

#endif
