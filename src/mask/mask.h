/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Mask policies inside: one struct of functions per policy, one file each, and a table of them. A policy
 * says how many patches of a grid stay visible, the same for every image, and draws which ones. Adding one is a file,
 * a row in the table (policy.c), and the options that belong to it.
 */
#ifndef MASKDM_MASK_MASK_H
#define MASKDM_MASK_MASK_H

#include <maskdm/mask.h>

#include "base/handle.h"
#include "base/rng.h"

struct mdm_grid {
    int64_t rows, columns; /* patches; their product fits an int32_t */
};

struct mdm_mask_policy {
    const char *name;
    /* Visible patches, or a negative status with its line when the policy does not fit the grid. ratio: the share
     * asked to be hidden, which may change within a run. */
    int64_t (*visible)(const maskdm_mask *m, double ratio, struct mdm_grid grid);
    /* Write `visible` indices, rising. The stream is this image's and step's own. */
    int (*draw)(const maskdm_mask *m, struct mdm_grid grid, int64_t visible, struct mdm_rng *stream, int32_t *index);
    enum mdm_purpose purpose;                /* of the stream */
    double (*nominal)(const maskdm_mask *m); /* share asked to be hidden; NULL where nothing says */
    int64_t (*groups)(const maskdm_mask *m); /* lists that draw() writes one after the other; NULL: 1 */
    int window; /* what stays visible is one window of the image, so that two kinds of patches cannot go apart */
};

enum { MDM_MASK_GROUPS = 64, MDM_MASK_LEVELS = 64 }; /* most */
enum mdm_mask_curve { MDM_MASK_LINEAR, MDM_MASK_COSINE };

extern const struct mdm_mask_policy mdm_mask_patch, mdm_mask_block, mdm_mask_crop, mdm_mask_grid, mdm_mask_partition,
    mdm_mask_none, mdm_mask_custom;

const struct mdm_mask_policy *mdm_mask_policy_at(int i); /* NULL: none */

struct maskdm_mask {
    struct mdm_handle handle;
    const struct mdm_mask_policy *policy;
    maskdm_options *options; /* resolved; NULL for one of the host's */
    maskdm_mask *details;    /* what hides the second kind of patches; NULL: the same */
    int64_t steps;      /* behind them every patch is visible; 0: never */
    double ratio;       /* share asked to be hidden, in [0, 1) */
    double ratio_end;   /* the same at the end of ratio_steps */
    int64_t ratio_steps, ratio_levels; /* steps that it changes over, in so many levels; 0 steps: it does not */
    enum mdm_mask_curve ratio_curve;
    int64_t block_size; /* patches; 0: what tiles the grid */
    int64_t crop_size;  /* patches */
    int64_t cell_size, cell_visible; /* patches; a size of 0: the grid is one cell */
    int64_t groups;
    struct {
        char *name;
        maskdm_mask_visible_callback visible;
        maskdm_mask_draw_callback draw;
        maskdm_drop_callback drop;
        void *user;
    } custom;
};

/* As a policy's nominal(). */
static inline double mdm_mask_ratio(const maskdm_mask *m)
{
    return m->ratio;
}

int mdm_mask_create(maskdm_mask **out, const maskdm_options *options); /* NULL: none */
int mdm_mask_create_custom(maskdm_mask **out, const char *name, maskdm_mask_visible_callback visible,
                           maskdm_mask_draw_callback draw, maskdm_drop_callback drop, void *user);
void mdm_mask_hold(maskdm_mask *m);
void mdm_mask_drop(maskdm_mask **m);
const char *mdm_mask_name(const maskdm_mask *m);
/* In how many levels what is hidden changes within a run, and the first step of one of them. */
int64_t mdm_mask_levels(const maskdm_mask *m);
int64_t mdm_mask_level_from(const maskdm_mask *m, int64_t level);
/* At least 1 and at most rows * columns, or a negative status. NULL mask: none. */
int64_t mdm_mask_visible(const maskdm_mask *m, int64_t rows, int64_t columns, int64_t step);
/* Groups of visible patches that every image is drawn as, and trained in. */
int64_t mdm_mask_groups(const maskdm_mask *m);
/* Each image gets groups x visible indices.
 * visible: how many indices a group has room for, or 0: as many as the policy says of the step. */
int mdm_mask_draw(const maskdm_mask *m, int64_t rows, int64_t columns, int64_t visible, uint64_t seed, int64_t first,
                  int64_t step, int64_t count, int32_t *index);

#endif
