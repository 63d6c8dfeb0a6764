/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Animated PNG out (the extension of PNG that its third edition took in). A program that knows nothing of it shows
 * the still picture that the file begins with, which is no frame of the animation.
 */
#ifndef MASKDM_IMAGE_APNG_H
#define MASKDM_IMAGE_APNG_H

#include "image/image.h"

struct mdm_apng;

/* Begin a file of `frames` frames with its still picture. The writer is committed or abandoned in every case, by this
 * or by one of the next. bits: 8 or 16. */
int mdm_apng_open(struct mdm_apng **out, struct mdm_writer **writer, const maskdm_image *still, int64_t frames,
                  int bits);
/* The next frame, of the still picture's size and channels, shown for so long: 1 .. 65535. */
int mdm_apng_add(struct mdm_apng *a, const maskdm_image *frame, int64_t milliseconds);
/* End the file once all frames are in. Frees in every case. */
int mdm_apng_commit(struct mdm_apng **a);
void mdm_apng_abandon(struct mdm_apng **a); /* NULL inside is fine */

/* All of it at once. */
int mdm_image_write_apng(const maskdm_image *still, const maskdm_image *const *frame, int64_t count,
                         int64_t milliseconds, const char *path, int bits);

#endif
