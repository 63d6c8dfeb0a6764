/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The image of a set that is nearest to each of those that were drawn, so that copies are seen.
 */
#ifndef MASKDM_SAMPLE_NEAREST_H
#define MASKDM_SAMPLE_NEAREST_H

#include "image/image.h"
#include "sample/sampler.h"

struct mdm_nearest;

/* Finds the images at `path`, whatever source it is, for `count` that the sampler draws, and takes all memory: two
 * images of the sampler's size for each, and a group of the set's. */
int mdm_nearest_open(struct mdm_nearest **out, const maskdm_sampler *s, const char *path, int64_t count);
void mdm_nearest_close(struct mdm_nearest **n); /* NULL inside is fine */
/* Image i of those that were drawn. */
void mdm_nearest_keep(struct mdm_nearest *n, int64_t i, const maskdm_image *image);
/* Look at all of the set, once, on the sampler's threads; images that cannot be read are left out. Says on the log
 * how near the nearest is, naming it by `naming`. MASKDM_EINVAL where none could be read. */
int mdm_nearest_find(struct mdm_nearest *n, const struct mdm_naming *naming);
/* The one beside image i, valid until the next call, and a few words on it: the difference's root mean square, in
 * levels of 255, and its name. */
const maskdm_image *mdm_nearest_image(struct mdm_nearest *n, int64_t i, char words[MDM_SAMPLING_NAME]);

#endif
