/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Images: PNG, JPEG and WebP in, PNG out, grids, antialiased resizing.
 *
 * H rows, W columns, C channels (1 grey, 2 grey and alpha, 3 RGB, 4 RGBA); rows from the top, channels innermost.
 * Samples are u16 in memory whatever the file had: 8 bit widens by 257, so that nothing of a 16-bit file is lost.
 *
 * Thread safety: immutable after creation, so calls on several threads may share one. No callback runs while an image
 * is read: it goes when it is released, and another thread must not be reading it then.
 */
#ifndef MASKDM_IMAGE_H
#define MASKDM_IMAGE_H

#include <maskdm/options.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct maskdm_image maskdm_image;

/** Types of samples in memory that the caller lends. An argument `sample_type` is one of these; MASKDM_EINVAL for
 *  other numbers. */
enum maskdm_sample_type {
    MASKDM_SAMPLE_U8    = 0, /* 0 .. 255 */
    MASKDM_SAMPLE_U16   = 1, /* 0 .. 65535, the machine's byte order */
    MASKDM_SAMPLE_FLOAT = 2  /* 0 .. 1 */
};

/** Read a PNG, JPEG or still WebP file, told apart by its first bytes. channels 1 to 4 converts (0 keeps the file's):
 *  grey by Pillow's ITU-R 601 luma weights, transparency composed over a background unless the wanted image has an
 *  alpha channel, all rounded to the file's depth. CMYK becomes RGB as in Pillow. The image is turned upright as EXIF
 *  says. A file that lost data of its picture is an error, not a half-grey image; what is odd without harm is read,
 *  see maskdm_image_remark(). Refuses more pixels than a limit, and more memory than another for a file whose form
 *  wants it whole at once (interlaced, progressive, WebP, stored on its side). options: kind "image", which say the
 *  background (white), whether EXIF's orientation is followed (yes), and both limits (64 Mpixels, 512 MiB); NULL
 *  for the defaults. */
MASKDM_API MASKDM_MUST_CHECK int maskdm_image_read(maskdm_image **out, const char *path, int channels,
                                                   const maskdm_options *options);
/** The same for a file that is in memory, which is borrowed for the call. */
MASKDM_API MASKDM_MUST_CHECK int maskdm_image_read_memory(maskdm_image **out, const void *bytes, size_t size,
                                                          int channels, const maskdm_options *options);
/** What was odd about the file that an image was read from though the picture is whole, and how it was turned: a few
 *  words, "5 stray bytes before a marker", with commas between several; "" where there is nothing to say. */
MASKDM_API const char *maskdm_image_remark(const maskdm_image *image);
/** From memory: `row_stride` is bytes between rows (0: packed). */
MASKDM_API MASKDM_MUST_CHECK int maskdm_image_create(maskdm_image **out, int64_t height, int64_t width, int channels,
                                                     int sample_type, const void *samples, size_t row_stride);
MASKDM_API void maskdm_image_release(maskdm_image **image);
MASKDM_API int64_t maskdm_image_height(const maskdm_image *image);
MASKDM_API int64_t maskdm_image_width(const maskdm_image *image);
MASKDM_API int maskdm_image_channels(const maskdm_image *image);
/** Copy the samples out; floats are clipped to 0 .. 1 when they came in, u8 is rounded to nearest. */
MASKDM_API MASKDM_MUST_CHECK int maskdm_image_copy(const maskdm_image *image, int sample_type, void *out,
                                                   size_t row_stride);
/** Scale so that the image covers height x width (short side fits), with Pillow's antialiased bicubic filter
 *  (a = -0.5, support widened when shrinking), then cut the centre. Rounded to 8 bits when all samples came from
 *  8 bits, else to 16; colours are weighted by alpha where there is one. */
MASKDM_API MASKDM_MUST_CHECK int maskdm_image_fit(maskdm_image **out, const maskdm_image *image, int64_t height,
                                                  int64_t width);
/** Write a PNG of 8 or 16 bits a sample; old file or new one survive a cut at any moment. */
MASKDM_API MASKDM_MUST_CHECK int maskdm_image_write_png(const maskdm_image *image, const char *path, int bits);
/** Write an animated PNG (APNG) of `count` frames, each shown for as many milliseconds (1 to 65535), again and
 *  again. Programs that know nothing of animations show `image`, which is none of the frames but has their size and
 *  channels: the last of them, say. */
MASKDM_API MASKDM_MUST_CHECK int maskdm_image_write_apng(const maskdm_image *image, const maskdm_image *const *frame,
                                                         int64_t count, int64_t milliseconds, const char *path,
                                                         int bits);
/** One picture of `count` images of equal size on white, `columns` in a row (0: near square), 2 pixels apart and
 *  from the border. */
MASKDM_API MASKDM_MUST_CHECK int maskdm_image_grid(maskdm_image **out, const maskdm_image *const *image,
                                                   int64_t count, int64_t columns);

#ifdef __cplusplus
}
#endif

#endif
