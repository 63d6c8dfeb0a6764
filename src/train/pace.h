/* SPDX-License-Identifier: BSD-2-Clause
 *
 * How many images a step takes and how many of their patches are visible. Both may change within a run, at steps that
 * are known from its beginning, so that the position in the stream of images follows from the step alone.
 */
#ifndef MASKDM_TRAIN_PACE_H
#define MASKDM_TRAIN_PACE_H

#include "mask/kinds.h"
#include "option/option.h"

struct mdm_pace_level {
    int64_t from;       /* its first step */
    int64_t before;     /* images of all steps before that */
    int64_t batch_size; /* images of a step */
    int64_t visible;    /* patches of each group of an image */
    int64_t second;     /* of those, of the second kind */
};

#define MDM_PACE_IMAGES ((int64_t)1 << 56)

struct mdm_pace {
    struct mdm_pace_level level[MDM_MASK_LEVELS];
    int levels;
    int64_t tokens; /* visible patches of a step, at most, of which its images follow; 0: it has a number of these */
    int asked;      /* for so many tokens; else they are those of the first level's usual batch */
    int usual;      /* nobody said how many images or tokens a step has */
    int64_t accumulate; /* parts of a step */
    int64_t groups;     /* rows of the batch that an image makes */
    int64_t most;       /* images of the largest step */
};

/* options: of a trainer, resolved. EINVAL, with its line, where they contradict each other, the mask does not fit the
 * grids at some step, or the tokens are too few for an image. */
int mdm_pace_plan(struct mdm_pace *out, const maskdm_mask *mask, const struct mdm_grids *grids,
                  const maskdm_options *options);
/* Rows of a part of a step. */
int64_t mdm_pace_rows(const struct mdm_pace *p, const struct mdm_pace_level *level);
const struct mdm_pace_level *mdm_pace_at(const struct mdm_pace *p, int64_t step);
/* Images of all steps before this one, at most MDM_PACE_IMAGES, with which rows and parts can be counted as well. */
int64_t mdm_pace_images(const struct mdm_pace *p, int64_t step);

#endif
