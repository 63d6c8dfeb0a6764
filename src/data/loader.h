/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Threads that load images ahead of the reader. The reader says which images it will ask for and then takes them
 * in that order; what it takes never depends on the number of threads or on whether it was foretold.
 */
#ifndef MASKDM_DATA_LOADER_H
#define MASKDM_DATA_LOADER_H

#include "base/error.h"

#include <stddef.h>
#include <stdint.h>

struct mdm_loader;

/* Fill `samples` for one image; *bits is 8 or 16 as in struct maskdm_image. Runs on several threads at once. */
typedef int (*mdm_load)(void *user, int64_t index, uint16_t *samples, int *bits);

/* How many images of `elements` samples are loaded ahead: 16 MiB of them or 512, at least two for each thread. */
int64_t mdm_loader_slots(size_t elements, int threads);
/* `elements` samples an image, at most `slots` images loaded and not yet taken. Without threads the reader loads. */
int mdm_loader_create(struct mdm_loader **out, int threads, int64_t slots, size_t elements, mdm_load load,
                      void *user);
void mdm_loader_release(struct mdm_loader **loader); /* joins; NULL is fine */
/* The next images to be taken. What is already under way in this order is kept. */
int mdm_loader_expect(struct mdm_loader *l, const int64_t *index, int64_t n);
/* Copy one image out. An image other than the next that was foretold is loaded here and now. */
int mdm_loader_take(struct mdm_loader *l, int64_t index, uint16_t *samples, int *bits);

#endif
