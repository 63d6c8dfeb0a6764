/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Patches are put into their images on the host, which against a network's forward costs next to nothing.
 */
#include "sample/patches.h"

#include "base/alloc.h"
#include "base/error.h"

#include <string.h>

int mdm_patches_choose(struct mdm_patches *p, const int32_t *patch, int64_t visible)
{
    int32_t *own = NULL;

    if (patch) {
        own = mdm_need((size_t)visible, sizeof *own, "patches");
        if (!own)
            return MASKDM_ENOMEM;
        memcpy(own, patch, (size_t)visible * sizeof *own);
    }
    mdm_patches_free(p);
    p->patch = own;
    p->visible = patch ? visible : 0;
    return MASKDM_OK;
}

int mdm_patches_ready(struct mdm_patches *p, const struct mdm_program *program)
{
    const size_t batch = (size_t)program->extent.batch, visible = (size_t)p->visible;

    if (!p->visible)
        return MASKDM_OK;
    if (program->ports.index == MDM_NONE)
        return mdm_fail(MASKDM_EINVAL, "network %s leaves no patches out", program->model->network->name);
    p->index = mdm_need(batch, visible * sizeof *p->index, "patches");
    p->said = mdm_need(batch, (size_t)program->output_values * sizeof *p->said, "predictions of patches");
    p->whole = mdm_need(batch, (size_t)program->image_values * sizeof *p->whole, "predictions of images");
    if (!p->index || !p->said || !p->whole) {
        mdm_patches_rest(p);
        return MASKDM_ENOMEM;
    }
    for (size_t i = 0; i < batch; i++)
        memcpy(p->index + i * visible, p->patch, visible * sizeof *p->index);
    return MASKDM_OK;
}

void mdm_patches_rest(struct mdm_patches *p)
{
    mdm_free(p->index);
    mdm_free(p->said);
    mdm_free(p->whole);
    p->index = NULL;
    p->said = p->whole = NULL;
}

void mdm_patches_free(struct mdm_patches *p)
{
    mdm_patches_rest(p);
    mdm_free(p->patch);
    *p = (struct mdm_patches){0};
}

/* A patch's pixels, of which the network may say more channels than an image has. */
static void place(const struct mdm_geometry *g, int64_t patch, const float *from, float *image)
{
    const int64_t top = patch / g->columns * g->patch, left = patch % g->columns * g->patch;

    for (int64_t i = 0; i < g->patch * g->patch; i++)
        memcpy(image + ((top + i / g->patch) * g->width + left + i % g->patch) * g->channels, from + i * g->outputs,
               (size_t)g->channels * sizeof *image);
}

int mdm_patches_image(struct mdm_patches *p, struct mdm_program *program, int64_t first, float *image)
{
    const struct mdm_geometry *g = &program->model->geometry;
    struct mdm_backend *b = program->graph.backend;
    const int64_t batch = program->extent.batch, values = g->patch * g->patch * g->outputs;

    MDM_TRY(b->v->download(b, p->said, mdm_program_output(program),
                           (size_t)(batch * program->output_values) * sizeof *p->said));
    for (int64_t i = 0; i < batch; i++)
        for (int64_t k = 0; k < p->visible; k++)
            place(g, p->patch[k], p->said + (i * p->visible + k) * values + first,
                  p->whole + i * program->image_values);
    return b->v->upload(b, image, p->whole, (size_t)(batch * program->image_values) * sizeof *image);
}
