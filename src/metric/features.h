/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Features that are kept, a row an image, and what is computed of two sets of them.
 */
#ifndef MASKDM_METRIC_FEATURES_H
#define MASKDM_METRIC_FEATURES_H

#include <maskdm/metric.h>

#include "metric/options.h"
#include "metric/statistics.h"

enum { MDM_FEATURES_AT_ONCE = 256 }; /* rows that a host is asked for */

struct maskdm_features {
    struct mdm_handle handle;
    maskdm_device *device;
    int64_t width, count, room; /* rows that are there, and that fit */
    float *row;
    char name[64]; /* what they are, "" where that is not known */
};

int mdm_features_create(maskdm_features **out, maskdm_device *device, int64_t width);
int mdm_features_create_callback(maskdm_features **out, maskdm_device *device, int64_t count, int64_t width,
                                 maskdm_features_callback fetch, void *user, maskdm_control *control);
void mdm_features_drop(maskdm_features **out);
int mdm_features_add(maskdm_features *f, int64_t count, const float *rows);
/* Room for so many rows more. */
int mdm_features_reserve(maskdm_features *f, int64_t count);
/* Of the same width and kind, and at least `least` rows of each. */
int mdm_features_check(const maskdm_features *a, const maskdm_features *b, int64_t least, const char *what);
/* As rows of a product. */
struct mdm_rows mdm_features_rows(const maskdm_features *f);
/* Mean and covariance, of all. */
int mdm_features_statistics(maskdm_statistics **out, const maskdm_features *f, maskdm_control *control);

/* ---- features_file.c ---- */
struct mdm_tensorfile;
/* Whether a file has rows of features: a tensor "features", or one alone, of two dimensions. */
int mdm_features_are_in(const struct mdm_tensorfile *f);
int mdm_features_read(maskdm_features **out, maskdm_device *device, struct mdm_tensorfile *file);
int mdm_features_load(maskdm_features **out, maskdm_device *device, const char *path);
int mdm_features_save(const maskdm_features *f, const char *path);

/* ---- kernel_distance.c ---- */
/* The unbiased estimate of `count` rows of each, by their index (NULL: the first ones). */
int mdm_features_mmd(const maskdm_features *a, const int32_t *a_index, const maskdm_features *b,
                     const int32_t *b_index, int64_t count, const struct mdm_metric_options *told,
                     maskdm_control *control, double *out);
/* Its mean over drawn subsets, and their standard deviation. */
int mdm_features_kid(const maskdm_features *a, const maskdm_features *b, const struct mdm_metric_options *told,
                     maskdm_control *control, double *mean, double *deviation);

/* ---- neighbours.c ---- */
/* radius[count]: how far each row's k-th neighbour among the others is. */
int mdm_features_radii(const maskdm_features *f, int64_t k, maskdm_control *control, double *radius);
struct mdm_neighbours {
    double precision, recall, density, coverage;
};
/* a: generated, b: real. */
int mdm_features_neighbours(const maskdm_features *a, const maskdm_features *b, int64_t k, maskdm_control *control,
                            struct mdm_neighbours *out);

/* ---- infinity.c ---- */
int mdm_features_infinity(const maskdm_features *f, maskdm_statistics *reference,
                          const struct mdm_metric_options *told, maskdm_control *control, double *out);

#endif
