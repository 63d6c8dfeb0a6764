/* SPDX-License-Identifier: BSD-2-Clause
 *
 * How far two sets of images are apart, from their features: numbers that a network says of each image, rows of equal
 * width, from wherever the host has them.
 *
 *     maskdm_features_create(&made, device, 2048);
 *     maskdm_features_add(made, count, rows);                  // as often as needed; and `real` the same way
 *     maskdm_features_kernel_distance(made, real, options, control, &kid, &deviation);
 *     maskdm_features_neighbours(made, real, options, control, &precision, &recall, &density, &coverage);
 *
 *     maskdm_statistics_load(&reference, device, "cifar10.npz"); // mean and covariance, as pytorch-fid keeps them
 *     maskdm_statistics_create_of(&statistics, made);
 *     maskdm_statistics_distance(statistics, reference, control, &distance);
 *
 * With features of Inception-v3 that distance is what is called FID; with others it is not, and does not compare with
 * it. Everything is summed in double, in an order that depends on nothing but the rows: not on threads, nor on the
 * calls in which rows came. `control` hears of steps and may end the work with MASKDM_ECANCELED; NULL: nobody.
 *
 * Thread safety: calls that add, or that need a mean and covariance, have their handle alone; others share it.
 */
#ifndef MASKDM_METRIC_H
#define MASKDM_METRIC_H

#include <maskdm/control.h>
#include <maskdm/data.h>
#include <maskdm/device.h>
#include <maskdm/model.h>

#ifdef __cplusplus
extern "C" {
#endif

/** A network that says features of images, in float32 whatever else the device computes in; one whose option compute
 *  is tf32 rounds the factors of float32 too, and is refused with MASKDM_ENOTSUP. */
typedef struct maskdm_extractor maskdm_extractor;
/** Rows that are kept: 4 bytes a number. */
typedef struct maskdm_features maskdm_features;
/** Mean and covariance alone: 8 bytes for every pair of numbers, however many rows there are. */
typedef struct maskdm_statistics maskdm_statistics;

/** Fill `count` rows from row `first` on, count x width floats, packed. Non-zero cancels. */
typedef int (*maskdm_features_callback)(void *user, int64_t first, int64_t count, float *rows);

/* ---- one call ---- */

/**
 * What the program's command evaluate does (doc/evaluation.md): the held-out error of a model, and how far a folder's
 * images, or those that a model draws, are from a reference. options: kind "evaluate". The answer, lines of text or,
 * with the option `json`, one line of JSON, goes to `write` in one piece, when all is done.
 */
MASKDM_API MASKDM_MUST_CHECK int maskdm_evaluate(const maskdm_options *options, maskdm_control *control,
                                                 maskdm_write_callback write, void *user);

/* ---- held-out error ---- */

/**
 * How well a model predicts the first `count` images of `data` (0: all), whole, under noise that `seed` fixes: so
 * numbers compare, x0_error across all models of these images. x0_error: the mean of (x0 - predicted x0)^2 at
 * noise-to-signal ratios of 0.02 to 20, stratified over their logarithm, as maskdm_trainer_validate() has it. bucket:
 * the same over `buckets` (at most 1024) equal parts of that logarithm, from the least noise on, NaN where no image
 * fell; NULL: none. own_loss: the loss of the model's own training, `loss` ("l2" ...; delta as in maskdm_loss())
 * under the scheduler's weights, at times that its process draws. which: enum maskdm_weights. The model is shared,
 * the data are at work.
 */
MASKDM_API MASKDM_MUST_CHECK int maskdm_model_held_out(maskdm_model *model, int which, maskdm_data *data,
                                                       int64_t count, uint64_t seed, const char *loss, double delta,
                                                       maskdm_control *control, double *x0_error, double *own_loss,
                                                       double *bucket, int64_t buckets);

/* ---- feature networks ---- */

/** A convolutional network of our own with random weights, always the same: for who has no trained one at hand. It
 * tells noise, blur and compression, and knows nothing of what is in an image; a distance from its features is a
 * random-feature distance, and no FID. */
MASKDM_API MASKDM_MUST_CHECK int maskdm_extractor_create(maskdm_extractor **out, maskdm_device *device);
/** Inception-v3 from what maskdm_convert() makes of pytorch-fid's pt_inception-2015-12-05-6726825d.pth. */
MASKDM_API MASKDM_MUST_CHECK int maskdm_extractor_load(maskdm_extractor **out, maskdm_device *device,
                                                       const char *path);
MASKDM_API void maskdm_extractor_release(maskdm_extractor **extractor);
/** What features are called by it: the network, and a digest of its weights. */
MASKDM_API const char *maskdm_extractor_name(const maskdm_extractor *extractor);
/** Numbers that it says of an image: 480, or Inception's 2048. */
MASKDM_API int64_t maskdm_extractor_width(const maskdm_extractor *extractor);
/** Features (count rows) of `count` images of height x width pixels and 1 or 3 channels, packed, in 0 .. 1. They are
 * brought to the network's size bilinearly, as pytorch-fid does; an image's features do not depend on the others. */
MASKDM_API MASKDM_MUST_CHECK int maskdm_extractor_run(maskdm_extractor *extractor, int64_t count, int64_t height,
                                                      int64_t width, int channels, const float *images,
                                                      maskdm_control *control, float *rows);

/* ---- features ---- */

/** No rows yet, of `width` numbers (1 .. 16384). The device's threads compute; the memory is the host's. */
MASKDM_API MASKDM_MUST_CHECK int maskdm_features_create(maskdm_features **out, maskdm_device *device, int64_t width);
/** `count` rows by callback, which is asked here, for some hundreds at a time and in order, and not again. */
MASKDM_API MASKDM_MUST_CHECK int maskdm_features_create_callback(maskdm_features **out, maskdm_device *device,
                                                                 int64_t count, int64_t width,
                                                                 maskdm_features_callback fetch, void *user,
                                                                 maskdm_control *control);
/** Those of the first `count` images of a data set (0: all). The data and the extractor are at work. */
MASKDM_API MASKDM_MUST_CHECK int maskdm_features_create_from(maskdm_features **out, maskdm_extractor *extractor,
                                                             maskdm_data *data, int64_t count,
                                                             maskdm_control *control);
/** Rows that maskdm_features_save() wrote, or a table of two dimensions, a row an image, that another program did:
 * tensor "features" of a .safetensors or .npz file, or the one array of an .npy. MASKDM_EFORMAT names what does not
 * fit. */
MASKDM_API MASKDM_MUST_CHECK int maskdm_features_load(maskdm_features **out, maskdm_device *device, const char *path);
/** Write them, and what is known of the network, as .safetensors (doc/formats.md). */
MASKDM_API MASKDM_MUST_CHECK int maskdm_features_save(const maskdm_features *features, const char *path);
MASKDM_API void maskdm_features_release(maskdm_features **features);
/** Copy `count` more rows (count x width floats, packed). MASKDM_ENONFINITE, with the row, and none is added, where a
 *  number is not finite. */
MASKDM_API MASKDM_MUST_CHECK int maskdm_features_add(maskdm_features *features, int64_t count, const float *rows);
/** Rows, and numbers in each. */
MASKDM_API int64_t maskdm_features_count(const maskdm_features *features);
MASKDM_API int64_t maskdm_features_width(const maskdm_features *features);
/** Copy rows [first, first + count) out. */
MASKDM_API MASKDM_MUST_CHECK int maskdm_features_get(const maskdm_features *features, int64_t first, int64_t count,
                                                     float *rows);

/**
 * KID's kernel distance (Bińkowski et al., 2018): mean and (the population's) standard deviation, over subsets that
 * are drawn without putting back, of the unbiased squared maximum mean discrepancy. options: kind "metric" (subsets,
 * subset_size, kernel_*, metric_seed), NULL: the defaults, torch-fidelity's.
 */
MASKDM_API MASKDM_MUST_CHECK int maskdm_features_kernel_distance(const maskdm_features *features,
                                                                 const maskdm_features *reference,
                                                                 const maskdm_options *options,
                                                                 maskdm_control *control, double *mean,
                                                                 double *deviation);
/** The same of one subset that the host chose: `count` rows of each, by their indices (NULL: the first ones). */
MASKDM_API MASKDM_MUST_CHECK int maskdm_features_discrepancy(const maskdm_features *features,
                                                             const int32_t *index, const maskdm_features *reference,
                                                             const int32_t *reference_index, int64_t count,
                                                             const maskdm_options *options, maskdm_control *control,
                                                             double *out);
/**
 * Precision and recall (Kynkäänniemi et al., 2019), density and coverage (Naeem et al., 2020): `features` are the
 * generated images', `reference` the real ones'. Each side needs one row more than the option `neighbours` of kind
 * "metric". Memory is a few numbers per row, time grows as the product of both counts and the width.
 */
MASKDM_API MASKDM_MUST_CHECK int maskdm_features_neighbours(const maskdm_features *features,
                                                            const maskdm_features *reference,
                                                            const maskdm_options *options, maskdm_control *control,
                                                            double *precision, double *recall, double *density,
                                                            double *coverage);
/** How far each row's k-th neighbour among the others is; `count` must be the number of rows. */
MASKDM_API MASKDM_MUST_CHECK int maskdm_features_radii(const maskdm_features *features, int64_t k,
                                                       maskdm_control *control, double *radius, int64_t count);
/**
 * The Fréchet distance of infinitely many images like these (Chong and Forsyth, 2020): measured on subsets of several
 * sizes and carried on along a line in one over the size. options: kind "metric" (infinity_*, metric_seed).
 */
MASKDM_API MASKDM_MUST_CHECK int maskdm_features_infinity(const maskdm_features *features,
                                                          maskdm_statistics *reference,
                                                          const maskdm_options *options, maskdm_control *control,
                                                          double *out);

/* ---- statistics ---- */

/** No rows yet, of `width` numbers (1 .. 16384). */
MASKDM_API MASKDM_MUST_CHECK int maskdm_statistics_create(maskdm_statistics **out, maskdm_device *device,
                                                          int64_t width);
/** mean[width] and covariance[width x width], copied, of `count` rows (0: not known). No row can be added. */
MASKDM_API MASKDM_MUST_CHECK int maskdm_statistics_create_from(maskdm_statistics **out, maskdm_device *device,
                                                               int64_t count, int64_t width, const double *mean,
                                                               const double *covariance);
/** Of all rows that there are now. */
MASKDM_API MASKDM_MUST_CHECK int maskdm_statistics_create_of(maskdm_statistics **out,
                                                             const maskdm_features *features);
/**
 * Statistics that maskdm_statistics_save() wrote, or those that pytorch-fid, guided-diffusion and EDM keep: tensors
 * "mu" and "sigma" of an .npz archive, stored or compressed. MASKDM_EFORMAT names what is missing or does not fit.
 */
MASKDM_API MASKDM_MUST_CHECK int maskdm_statistics_load(maskdm_statistics **out, maskdm_device *device,
                                                        const char *path);
MASKDM_API void maskdm_statistics_release(maskdm_statistics **statistics);
/** Count `count` more rows (count x width floats, packed) in. */
MASKDM_API MASKDM_MUST_CHECK int maskdm_statistics_add(maskdm_statistics *statistics, int64_t count,
                                                       const float *rows);
/** Rows, 0 where a file did not say how many; and numbers in each. */
MASKDM_API int64_t maskdm_statistics_count(const maskdm_statistics *statistics);
MASKDM_API int64_t maskdm_statistics_width(const maskdm_statistics *statistics);
/** Copy the mean (width numbers, `count` of them); the unbiased covariance (width x width). MASKDM_EINVAL below two
 *  rows. */
MASKDM_API MASKDM_MUST_CHECK int maskdm_statistics_mean(maskdm_statistics *statistics, double *out, int64_t count);
MASKDM_API MASKDM_MUST_CHECK int maskdm_statistics_covariance(maskdm_statistics *statistics, double *out,
                                                              int64_t count);
/** Write mean, covariance and what is known of the features as .safetensors (doc/formats.md). */
MASKDM_API MASKDM_MUST_CHECK int maskdm_statistics_save(maskdm_statistics *statistics, const char *path);
/**
 * Fréchet's distance, squared as everybody gives it: |mean - mean'|^2 + trace(C + C' - 2 (C C')^1/2). Singular
 * covariances, of fewer rows than numbers, need no offset, and a set has the distance 0 to itself but for rounding.
 * Takes six times the memory of a covariance. MASKDM_EINVAL for what is no covariance.
 */
MASKDM_API MASKDM_MUST_CHECK int maskdm_statistics_distance(maskdm_statistics *statistics,
                                                            maskdm_statistics *reference, maskdm_control *control,
                                                            double *out);

#ifdef __cplusplus
}
#endif

#endif
