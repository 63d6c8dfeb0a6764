/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Where the pictures of a sampling job go: one file, or a folder that can be gone on with. What can be said of the
 * place is said before a model is loaded.
 */
#ifndef MASKDM_RUN_SAMPLES_H
#define MASKDM_RUN_SAMPLES_H

#include "base/control.h"
#include "option/option.h"
#include "os/file.h"
#include "run/options.h"
#include "sample/nearest.h"
#include "text/text.h"

struct mdm_samples {
    struct mdm_sample_run_options told; /* lives with the options */
    struct mdm_writer *writer;          /* of a grid, reserved; NULL: a folder of single images */
    struct mdm_writer *animation;       /* reserved; NULL: none */
    struct mdm_folder_lock *lock;
    int64_t *number; /* of the images that are missing; NULL: all are */
    int64_t missing, there;
    struct mdm_nearest *nearest; /* NULL: nothing is looked for */
    struct mdm_text about;       /* the options, as JSON */
    char digest[17];             /* of the model */
    struct mdm_png_text text[4]; /* what every file says; without a key: nothing */
};

/* options: kind "sample". Judges the place and makes nothing. */
int mdm_samples_open(struct mdm_samples *s, const maskdm_options *options);
/* What files say is made; a folder is made and locked, what is there and in order is found, and the options are
 * recorded, among them the digests of the weights that are drawn from. */
int mdm_samples_enter(struct mdm_samples *s, const maskdm_options *options, const maskdm_sampler *sampler,
                      const struct mdm_naming *naming);
void mdm_samples_close(struct mdm_samples *s);

/* ---- samples_there.c ---- */
/* What of `missing` images is there, and the numbers of the others. */
int mdm_samples_find(struct mdm_samples *s, const maskdm_sampler *sampler, const struct mdm_naming *naming);

/* ---- seeds.c ---- */
/* A copy of the options in which `seeds` has become seed and count. */
int mdm_seeds_settle(maskdm_options **out, const maskdm_options *options);

/* ---- samples_name.c ---- */
/* Whether `path` is to become one picture, by what stands there or by its suffix; MASKDM_EINVAL with what is written
 * for any other suffix. */
int mdm_samples_is_grid(int *out, const char *path);
/* What stands behind the last dot of a name and has a letter in it, or NULL: no suffix. */
const char *mdm_samples_suffix(const char *path);
/* Whether a name ends in .png. */
int mdm_samples_is_png(const char *path);

#endif
