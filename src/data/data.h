/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What a kind of data set is made of: a class of functions and a struct that begins with struct maskdm_data.
 * A new kind is one file: see memory.c.
 *
 * Order and what is done to images (data/augment.h) belong here and not to the kinds, so that equal images give equal
 * batches wherever they come from.
 */
#ifndef MASKDM_DATA_DATA_H
#define MASKDM_DATA_DATA_H

#include <maskdm/control.h>
#include <maskdm/data.h>

#include "base/error.h"
#include "base/handle.h"
#include "base/log.h"
#include "data/augment.h"
#include "data/options.h"
#include "data/scan.h"

#include <pthread.h>

struct mdm_data_class {
    /* Image i, floats in 0 .. 1 with its margin, and its label (-1: none). i is in range. */
    int (*get)(maskdm_data *data, int64_t i, float *image, int32_t *label);
    /* A hint: these will be asked for next, in this order. NULL: of no use to the kind. */
    int (*expect)(maskdm_data *data, const int64_t *index, int64_t n);
    const char *(*path)(const maskdm_data *data, int64_t i);       /* NULL: none */
    int64_t (*file)(const maskdm_data *data, int64_t i);           /* its place in data->files; NULL: i */
    const char *(*label_name)(const maskdm_data *data, int64_t i); /* NULL: none */
    void (*close)(maskdm_data *data); /* let go of what the kind holds; the struct itself is freed after it */
    int in_turn; /* get() and expect() share memory: parts of one set, on several threads, take turns */
};

struct maskdm_data {
    struct mdm_handle handle;
    const struct mdm_data_class *kind;
    maskdm_device *device; /* NULL: memory is not counted */
    int64_t count, height, width, labels, skipped;
    int64_t margin_height, margin_width; /* pixels that the kind gives beyond these, of which a window is cut */
    int callers;        /* images come from a function of the host, on the thread that called the API */
    int64_t unlabelled; /* images without a label; -1: not known */
    int channels;
    /* What tells the images from others without reading them; see manifest.h. A part has that of the whole. */
    const struct mdm_scan *files; /* of a folder; NULL: they come from the host */
    const int32_t *known;         /* labels of images in memory, or NULL */
    int64_t known_labels;
    pthread_mutex_t turn; /* where the kind is read in turn */
    struct mdm_shares *shares; /* whose turn it is, once `shared`; NULL: there is one source */
    int shared;
    int64_t *order;       /* scratch of mdm_data_batch() */
    int64_t order_length;
    float *room; /* one image with its margin; NULL: not wanted yet */
};

/* A zeroed struct of `bytes` with its base filled in and one reference. */
int mdm_data_begin(void *out, size_t bytes, const struct mdm_data_class *kind, maskdm_device *device, int64_t count,
                   int64_t height, int64_t width, int channels);
void mdm_data_hold(maskdm_data *data);
void mdm_data_release(maskdm_data **data);
int64_t mdm_data_elements(const maskdm_data *data); /* H * W * C */
int64_t mdm_data_stored(const maskdm_data *data);   /* the same with the margins */
/* Before the first image is asked for: that many pixels of height and width are margins. */
void mdm_data_set_margin(maskdm_data *data, int64_t height, int64_t width);
/* Room for n numbers in a growing array, whose contents are lost. */
int mdm_data_scratch(int64_t **scratch, int64_t *length, int64_t n);

int mdm_data_get(maskdm_data *data, int64_t i, float *image, int32_t *label); /* the middle; label may be NULL */
int mdm_data_get_stored(maskdm_data *data, int64_t i, float *image, int32_t *label); /* with its margin */
int mdm_data_expect(maskdm_data *data, const int64_t *index, int64_t n);      /* where the kind can use the hint */
/* The images at positions first .. first + batch - 1 of the run's endless stream, augmented and in -1 .. 1. */
int mdm_data_batch_at(maskdm_data *data, uint64_t seed, int64_t first, int64_t batch, const struct mdm_augment *how,
                      float *images, int32_t *labels);
/* See maskdm_data_batch(). */
int mdm_data_batch(maskdm_data *data, uint64_t seed, int64_t step, int64_t batch, double flip, float *images,
                   int32_t *labels);

/* ---- a folder, in three calls: mdm_scan_folder(), then these ---- */

/* "found N images below PATH, ..." */
void mdm_data_tell_found(const struct mdm_scan *found, const char *path, const struct mdm_log *log);
/* What sizes and modes the images have that were decoded so far, in a line; nothing for other sets. */
void mdm_data_tell_forms(maskdm_data *data, const struct mdm_log *log);
/* Takes over what was found below `path`, settled (see scan.h), and counts all memory. No file is opened: the count
 * is that of the files, so that what a run is told can be held against it. `from` has the options' names for error
 * lines. */
int mdm_data_folder(maskdm_data **out, maskdm_device *device, const char *path, struct mdm_scan *found,
                    const struct mdm_folder_options *told, const maskdm_options *from);
/* Make a folder's set of use, and tell `control` how far that is. Every image is decoded; broken ones are named, left
 * out, marked in data->files and no longer counted. Where the files are `known`, because an earlier opening of the
 * same ones has marked what is broken, only the first bytes of the others are read, and images are decoded at their
 * first use. One that then turns out to be broken is an error with its name: the order of the images must not change.
 * MASKDM_ECANCELED as soon as the host asks for it, after which the set can only be released. */
int mdm_data_read(maskdm_data *data, int known, const struct mdm_log *log, maskdm_control *control);
/* Mark a folder's files (see scan.h), once; other sets have none. */
int mdm_data_mark(maskdm_data *data, maskdm_control *control);

/* ---- the other kinds: `drop` is called with the last reference, and not where they fail ---- */

int mdm_data_memory(maskdm_data **out, maskdm_device *device, int64_t count, int64_t height, int64_t width,
                    int channels, int sample_type, const void *images, size_t row_stride,
                    size_t image_stride, const int32_t *labels, maskdm_drop_callback drop, void *user);
/* `told` and `from` as for a folder. */
int mdm_data_encoded(maskdm_data **out, maskdm_device *device, int64_t count, const void *const *files,
                     const size_t *sizes, const int32_t *labels, const struct mdm_folder_options *told,
                     const maskdm_options *from);
int mdm_data_encoded_callback(maskdm_data **out, maskdm_device *device, int64_t count,
                              maskdm_data_encoded_callback fetch, maskdm_drop_callback drop, void *user,
                              const struct mdm_folder_options *told, const maskdm_options *from,
                              maskdm_control *control);
int mdm_data_callback(maskdm_data **out, maskdm_device *device, int64_t count, int64_t height, int64_t width,
                      int channels, maskdm_data_fetch_callback fetch, maskdm_drop_callback drop, void *user);
/* How many of `count` images a fraction is: one at least, and not all. */
int mdm_data_split_count(int64_t *held_out, int64_t count, double fraction);
int mdm_data_split(maskdm_data **train, maskdm_data **held_out, maskdm_data *data, int64_t held, uint64_t seed);
/* The same for mdm_data_take(), of which `fraction` may be 1. */
int mdm_data_take_count(int64_t *taken, int64_t count, double fraction);
int mdm_data_take(maskdm_data **out, maskdm_data *data, double fraction, uint64_t seed);

#endif
