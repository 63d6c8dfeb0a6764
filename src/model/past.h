/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What a model's weights were trained with: the masks of the stages that they came through, in their order. Who is
 * to see a part of an image later must have seen such parts.
 */
#ifndef MASKDM_MODEL_PAST_H
#define MASKDM_MODEL_PAST_H

#include <stdint.h>

enum { MDM_PAST_STAGES = 16, MDM_PAST_NAME = 64 };

struct mdm_past_stage {
    char mask[MDM_PAST_NAME]; /* the policy's name, or as much of a host's as has room */
    int64_t visible, patches; /* of an image */
};

struct mdm_past {
    int known; /* from the beginning; else something unknown was before the first stage */
    int count;
    struct mdm_past_stage stage[MDM_PAST_STAGES]; /* the last ones; no two like ones in a row */
};

struct mdm_text;

void mdm_past_add(struct mdm_past *p, const char *mask, int64_t visible, int64_t patches);
/* MASKDM_EINVAL, with a line that begins with `who`, where whole images are all that was ever seen. */
int mdm_past_check_masked(const struct mdm_past *p, const char *who);
/* As JSON; nothing where nothing is known. */
void mdm_past_write(const struct mdm_past *p, struct mdm_text *out);
/* json NULL: nothing is known. */
int mdm_past_read(struct mdm_past *p, const char *json);

#endif
