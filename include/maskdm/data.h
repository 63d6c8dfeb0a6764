/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Data sets: where training images come from.
 *
 *     maskdm_data_open_folder(&data, dev, "faces", options, control); // PNG, JPEG, WebP, recursive; or an archive
 *     maskdm_data_create_memory(&data, dev, images, labels, ...);   // lent arrays
 *     maskdm_data_create_encoded(&data, dev, count, files, ...);    // image files in memory
 *     maskdm_data_create_callback(&data, dev, count, fetch, user);  // the host draws them
 *
 * Which image is drawn when, flips, masks, times and noise are functions of (seed, step, position in the batch)
 * alone; an epoch is a permutation of the whole set and wraps without dropping an image.
 *
 * Thread safety: a data set serves one trainer at a time (MASKDM_EBUSY for a second); the parts of a split are sets
 * of their own. Counts, sizes and names may be asked for at any time.
 */
#ifndef MASKDM_DATA_H
#define MASKDM_DATA_H

#include <maskdm/control.h>
#include <maskdm/device.h>
#include <maskdm/image.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct maskdm_data maskdm_data;

/**
 * A folder of images, searched recursively (files named .png, .jpg, .jpeg, .jfif, .jpe or .webp in any case, told
 * apart by content; hidden ones, and folders of training runs, left out), in byte order of the paths. Each is
 * resized (short side, Pillow's antialiased bicubic) and centre-cropped to image_size; an 8-bit file keeps 8 bits, a
 * 16-bit one 16. Labels are the indices, in byte order, of the first-level sub-folders that hold images, -1 for files
 * beside them. A broken image is named to the log (the first ten as warnings, the others at MASKDM_LOG_DEBUG),
 * skipped and counted. What else stands in the way (links to nothing, folders that cannot be listed or are more than
 * 64 deep, FIFOs, pictures of other formats) is a warning for each kind, with their number and the first path.
 * What was odd about images that were read, and how many were turned, is told the same way. MASKDM_EINVAL when no
 * image is left. All are decoded once here; they stay in memory when that fits `cache_limit`,
 * else loader threads read them again ahead of the step: both give equal bytes.
 * In place of a folder: an LMDB environment (trusted, its values are not), or a file, which is read in place: a .tar
 * or .zip with labels of its own or those of its folders; a .npy, .npz or .safetensors with images as an array;
 * CIFAR's batches, or their folder; a .json that names several of these, with weights. Equal names and images are
 * an equal set. options: kind "folder", NULL for the defaults. control: hears what was found and how far that is;
 * maskdm_control_stop() or maskdm_control_cancel() ends it with MASKDM_ECANCELED once each loader thread has finished
 * its image. NULL: nobody. The data set does not keep it.
 */
MASKDM_API MASKDM_MUST_CHECK int maskdm_data_open_folder(maskdm_data **out, maskdm_device *device, const char *path,
                                                         const maskdm_options *options, maskdm_control *control);
/**
 * Images in memory: `count` of height x width x channels, `row_stride` and `image_stride` bytes apart (0: packed).
 * labels: one per image, or NULL. Nothing is copied: both must stay in place until the last reference is gone, when
 * drop(user), if given, is called.
 */
MASKDM_API MASKDM_MUST_CHECK int maskdm_data_create_memory(maskdm_data **out, maskdm_device *device, int64_t count,
                                                           int64_t height, int64_t width, int channels,
                                                           int sample_type, const void *images,
                                                           size_t row_stride, size_t image_stride,
                                                           const int32_t *labels, maskdm_drop_callback drop,
                                                           void *user);
/**
 * PNG, JPEG and WebP files in memory: files[i] of sizes[i] bytes, with label labels[i] (labels may be NULL). All are
 * decoded here, fitted and brought to the channels that options of kind "folder" (NULL: the defaults) ask for;
 * everything is copied. One that cannot be read is the error, by its index, since none is left out.
 */
MASKDM_API MASKDM_MUST_CHECK int maskdm_data_create_encoded(maskdm_data **out, maskdm_device *device, int64_t count,
                                                            const void *const *files, const size_t *sizes,
                                                            const int32_t *labels, const maskdm_options *options);
/** Hand out image file `i`, of any format that a folder may hold, and its label (-1: none). The bytes must stay in
 *  place until the next call, or until the set is gone. Called on the thread that called the API. Non-zero cancels
 *  the work. */
typedef int (*maskdm_data_encoded_callback)(void *user, int64_t i, const void **file, size_t *size, int32_t *label);
/**
 * Image files by callback, from a database or a network say: all are asked for and decoded once here, and again where
 * they do not fit `cache_limit`. Options of kind "folder" (NULL: the defaults) mean what they mean for a folder, but
 * that no other thread asks; so do broken images, which are named to the log of `control` (may be NULL), left out and
 * counted. drop(user) as below.
 */
MASKDM_API MASKDM_MUST_CHECK int maskdm_data_create_encoded_callback(
    maskdm_data **out, maskdm_device *device, int64_t count, maskdm_data_encoded_callback fetch,
    maskdm_drop_callback drop, void *user, const maskdm_options *options, maskdm_control *control);
/** Write image `i` (height x width x channels floats in 0 .. 1, packed) and its label (-1: none). Called on the
 *  thread that called the API. Non-zero cancels the step. The set, and a trainer that draws from it, are at work:
 *  calls on them are MASKDM_EBUSY, a release takes effect behind them. */
typedef int (*maskdm_data_fetch_callback)(void *user, int64_t i, float *image, int32_t *label);
/** Images by callback. drop(user), if given, is called when the last reference goes, which may be at the end of a
 *  call that was at work then; the set cannot be used any more. */
MASKDM_API MASKDM_MUST_CHECK int maskdm_data_create_callback(maskdm_data **out, maskdm_device *device, int64_t count,
                                                             int64_t height, int64_t width, int channels,
                                                             maskdm_data_fetch_callback fetch,
                                                             maskdm_drop_callback drop, void *user);
/**
 * Split off a held-out part: a pseudo-random `fraction` (in 0 .. 1, at least one image each side) chosen by `seed`.
 * Both parts hold a reference to `data`.
 */
MASKDM_API MASKDM_MUST_CHECK int maskdm_data_split(maskdm_data **train, maskdm_data **held_out, maskdm_data *data,
                                                   double fraction, uint64_t seed);
/**
 * A pseudo-random `fraction` (above 0, at most 1; at least one image) of `data`, chosen by `seed` and the images'
 * places alone, so that it is the same on every machine; a smaller fraction of one seed lies in a larger one. Holds a
 * reference to `data`.
 */
MASKDM_API MASKDM_MUST_CHECK int maskdm_data_take(maskdm_data **out, maskdm_data *data, double fraction,
                                                  uint64_t seed);
MASKDM_API void maskdm_data_release(maskdm_data **data);
/**
 * What the program's command data does (doc/pictures.md): every image file of a folder is decoded and counted by
 * size, mode, transparency and label, with the files that cannot be read and those that are there twice; with the
 * option `out` the images of the first training steps are drawn on a sheet as a network would see them. options:
 * kind "survey". The answer, lines of text or, with the option `json`, one line of JSON, goes to `write` at once.
 */
MASKDM_API MASKDM_MUST_CHECK int maskdm_survey(const maskdm_options *options, maskdm_control *control,
                                               maskdm_write_callback write, void *user);

/** Images, and the pixels and channels that each one has. */
MASKDM_API int64_t maskdm_data_count(const maskdm_data *data);
MASKDM_API int64_t maskdm_data_height(const maskdm_data *data);
MASKDM_API int64_t maskdm_data_width(const maskdm_data *data);
MASKDM_API int maskdm_data_channels(const maskdm_data *data);
/** Files that are named as images, could not be read and were left out. */
MASKDM_API int64_t maskdm_data_skipped(const maskdm_data *data);
/** Number of labels (largest + 1), 0 without labels; the name of label i for folders, else NULL. */
MASKDM_API int64_t maskdm_data_label_count(const maskdm_data *data);
MASKDM_API const char *maskdm_data_label_name(const maskdm_data *data, int64_t i);
/** Path of image i for folders, else NULL. */
MASKDM_API const char *maskdm_data_path(const maskdm_data *data, int64_t i);
/** Copy image i as floats in 0 .. 1 (height x width x channels) and its label (may be NULL). */
MASKDM_API MASKDM_MUST_CHECK int maskdm_data_get(maskdm_data *data, int64_t i, float *image, int32_t *label);
/**
 * The batch of a training step: for position b of step s (0-based) the global position is s * batch + b; the image
 * is that position's place in its epoch's permutation; flips with probability `flip` (0 .. 1) by (seed, position).
 * images: batch x height x width x channels floats in -1 .. 1. labels: batch (may be NULL).
 */
MASKDM_API MASKDM_MUST_CHECK int maskdm_data_batch(maskdm_data *data, uint64_t seed, int64_t step, int64_t batch,
                                                   double flip, float *images, int32_t *labels);

/**
 * What the program's command pack does: images out of whatever maskdm_data_open_folder() takes, decoded, fitted and
 * written into one file, which that call then reads in place, with nothing to decode: its images have their labels
 * and their names. options: kind "pack". One that cannot be read is named to the log and left out; one of another
 * size, where none is asked for, or of more bits is the error. Where the call ends early, or is stopped, OUT.part
 * stays, and the option resume goes on with it.
 */
MASKDM_API MASKDM_MUST_CHECK int maskdm_pack(const maskdm_options *options, maskdm_control *control);

#ifdef __cplusplus
}
#endif

#endif
