/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A prediction's patches put back into images.
 */
#include "model/program.h"

/* Of each kind of patches the channels from `first` on, as many as it has or, with `more`, all that are said. */
static int join(struct mdm_program *p, float *image, int64_t first, int more)
{
    const struct mdm_geometry *m = &p->model->geometry;
    struct mdm_backend *b = p->graph.backend;

    for (int k = 0; k < m->kinds; k++) {
        const struct mdm_part part = mdm_geometry_part(m, &p->extent, k);
        struct mdm_unpatchify job = {.batch = p->extent.batch,
                                     .height = part.height,
                                     .width = part.width,
                                     .channels = more ? part.outputs : part.of->channels,
                                     .outputs = part.outputs,
                                     .patch = part.of->patch,
                                     .pred = mdm_program_output(p) + part.first + first,
                                     .image = image + part.of->channel,
                                     .beside = part.beside};

        if (more && m->kinds == 1)
            job.beside.channels = part.outputs;
        MDM_TRY(b->v->unpatchify(b, &job));
    }
    return MASKDM_OK;
}

int mdm_program_image(struct mdm_program *p, float *image)
{
    return join(p, image, 0, 0);
}

int mdm_program_variance(struct mdm_program *p, float *out)
{
    return join(p, out, p->model->geometry.channels, 0);
}

int mdm_program_whole(struct mdm_program *p, float *out)
{
    return join(p, out, 0, 1);
}
