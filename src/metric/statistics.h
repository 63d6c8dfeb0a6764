/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Mean and covariance of features, summed while they come.
 */
#ifndef MASKDM_METRIC_STATISTICS_H
#define MASKDM_METRIC_STATISTICS_H

#include <maskdm/metric.h>

#include "metric/product.h"

enum { MDM_STATISTICS_BLOCK = 256, MDM_METRIC_WIDTH = 16384 }; /* rows summed at a time; widest feature */

struct maskdm_statistics {
    struct mdm_handle handle;
    maskdm_device *device;
    int64_t width, count;    /* count: rows; 0 where a file does not say how many there were */
    int given;               /* mean and covariance were given, and no row can be added */
    char features[64];       /* what the features are, "" where that is not known */
    double *shift;           /* [D]: the first row; sums are of what the others differ by */
    double *sum, *square;    /* [D] and, below the diagonal and on it, [D,D]; or mean and covariance */
    float *block;            /* [MDM_STATISTICS_BLOCK,D]: rows that are not yet in the sums */
    int64_t held;            /* of them */
    struct mdm_product_room *room;
};

int mdm_statistics_create(maskdm_statistics **out, maskdm_device *device, int64_t width);
int mdm_statistics_create_from(maskdm_statistics **out, maskdm_device *device, int64_t count, int64_t width,
                               const double *mean, const double *covariance);
void mdm_statistics_drop(maskdm_statistics **out);
int mdm_statistics_add(maskdm_statistics *s, int64_t count, const float *rows);
/* The same of single rows, by their index; NULL: in their order. */
int mdm_statistics_add_chosen(maskdm_statistics *s, int64_t count, const int32_t *index, const float *rows,
                              maskdm_control *control);
/* mean[D] and covariance[D,D], unbiased; either may be NULL. EINVAL below two rows. */
int mdm_statistics_read(maskdm_statistics *s, double *mean, double *covariance);
int mdm_statistics_distance(maskdm_statistics *a, maskdm_statistics *b, maskdm_control *control, double *out);

/* ---- statistics_file.c ---- */
struct mdm_tensorfile;
/* Whether a file has a mean and a covariance. */
int mdm_statistics_are_in(const struct mdm_tensorfile *f);
int mdm_statistics_read_file(maskdm_statistics **out, maskdm_device *device, struct mdm_tensorfile *f);
int mdm_statistics_load(maskdm_statistics **out, maskdm_device *device, const char *path);
int mdm_statistics_save(maskdm_statistics *s, const char *path);

#endif
