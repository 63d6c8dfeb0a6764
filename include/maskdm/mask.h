/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Mask policies: which patches of an image the network gets to see. Every policy keeps the same number of patches
 * in every image of one grid; what it keeps is drawn afresh for each image and step.
 *
 *     maskdm_options_parse(o, "type=block ratio=0.9 block_size=2");
 *     maskdm_mask_create(&mask, o);
 *     n = maskdm_mask_visible(mask, 16, 16);        // 28: "90 %" hides 56 blocks, in truth 89.1 %
 *
 * A grid is rows x columns patches; patch index = row * columns + column.
 * Numbers hidden (MaskDM's datasets/masking_generator.py): patch, floor(ratio P); block, floor(ratio P) / b^2 blocks
 * of b x b patches; crop, everything outside one random square window; grid, all but k of every n x n; none, nothing.
 * A partition hides nothing in the end: an image's patches are divided into groups of one size, each of which is
 * trained as an image of its own in which the others are hidden.
 *
 * Where a network's patches are of two kinds (form=wavelet), each is hidden by a mask of its own, which the second
 * kind has from maskdm_mask_draw() with 2^43 added to `first`.
 *
 * Thread safety: immutable after creation, so calls on several threads may share one; a custom policy's callbacks run
 * on each thread that draws.
 */
#ifndef MASKDM_MASK_H
#define MASKDM_MASK_H

#include <maskdm/options.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct maskdm_mask maskdm_mask;

/** options: kind "mask"; NULL: none. */
MASKDM_API MASKDM_MUST_CHECK int maskdm_mask_create(maskdm_mask **out, const maskdm_options *options);

/** Number of patches that stay visible on a rows x columns grid, the same for every image. */
typedef int64_t (*maskdm_mask_visible_callback)(void *user, int64_t rows, int64_t columns);
/** Write that many distinct patch indices in rising order. `seed` is a number of its own for each image and step:
 *  use it as the seed of whatever is drawn. Non-zero cancels. */
typedef int (*maskdm_mask_draw_callback)(void *user, uint64_t seed, int64_t rows, int64_t columns, int32_t *index);
/** A policy of one's own. name: for logs, copied. drop(user), if given, is called when the last reference goes,
 * which may be at the end of a call that was at work then. What the callbacks answer is checked, and that `visible`
 * answers the same each time. They may release the mask and whatever else is at work; a trainer that draws is
 * MASKDM_EBUSY. */
MASKDM_API MASKDM_MUST_CHECK int maskdm_mask_create_custom(maskdm_mask **out, const char *name,
                                                           maskdm_mask_visible_callback visible,
                                                           maskdm_mask_draw_callback draw, maskdm_drop_callback drop,
                                                           void *user);
MASKDM_API void maskdm_mask_release(maskdm_mask **mask);

/** "patch", "block", "crop", "grid", "partition", "none" or the custom name. */
MASKDM_API const char *maskdm_mask_name(const maskdm_mask *mask);
/** Visible patches of a grid (of each group of a partition), or a negative status: MASKDM_EINVAL when none is visible
 * or the policy does not fit it. Where the share that is hidden changes within a run: at its first step. */
MASKDM_API MASKDM_MUST_CHECK int64_t maskdm_mask_visible(const maskdm_mask *mask, int64_t rows, int64_t columns);
/** The same at a step of the run. */
MASKDM_API MASKDM_MUST_CHECK int64_t maskdm_mask_visible_at(const maskdm_mask *mask, int64_t rows, int64_t columns,
                                                            int64_t step);
/** Groups that a partition divides an image into; 1 of every other mask. */
MASKDM_API int64_t maskdm_mask_groups(const maskdm_mask *mask);
/** Share of patches that is asked to be hidden (NaN for crop and custom), and the share that really is; at the
 * first step, where it changes. Of a partition, the share that a group does not see. */
MASKDM_API double maskdm_mask_nominal_rate(const maskdm_mask *mask);
MASKDM_API double maskdm_mask_true_rate(const maskdm_mask *mask, int64_t rows, int64_t columns);
/** Draw for images first .. first + count - 1 of the run's stream (first = step * batch + position) at `step`.
 *  index: count x groups x visible, rising within a group. */
MASKDM_API MASKDM_MUST_CHECK int maskdm_mask_draw(const maskdm_mask *mask, int64_t rows, int64_t columns,
                                                  uint64_t seed, int64_t first, int64_t step, int64_t count,
                                                  int32_t *index);

#ifdef __cplusplus
}
#endif

#endif
