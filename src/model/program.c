/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Recording, planning and feeding a network's program. Planning is arithmetic, so the arena's size is known and held
 * against the device's limit before a byte is taken.
 */
#include "model/program.h"

#include "base/alloc.h"
#include "base/checked.h"
#include "base/error.h"
#include "model/adapter.h"

#include <math.h>

/* Record and plan into `g`, which the caller frees. */
static int prepare(struct mdm_graph *g, struct mdm_ports *ports, struct mdm_params *layout, maskdm_device *device,
                   const struct mdm_network *network, const maskdm_options *options, struct mdm_extent extent,
                   enum mdm_program_use use)
{
    struct mdm_backend *backend = mdm_device_backend(device);
    const enum mdm_dtype stored = mdm_device_stored(device);

    mdm_graph_init(g, backend, layout, backend->v->compute ? backend->v->compute(backend) : MDM_F32);
    g->images = use == MDM_PROGRAM_PREDICT ? extent.batch : 0;
    g->keeps = use == MDM_PROGRAM_PREDICT || mdm_device_keeps(device);
    g->adapt = layout->adapter ? mdm_adapter_record : NULL;
    *ports = MDM_NO_PORTS;
    network->record(g, ports, options, extent);
    if (use == MDM_PROGRAM_TRAIN_INPUT)
        mdm_graph_want_gradient(g, ports->image);
    if (stored != MDM_F32)
        MDM_TRY(mdm_graph_store(g, stored));
    return mdm_graph_plan(g, use == MDM_PROGRAM_PREDICT ? 0 : MDM_PLAN_TRAIN);
}

int mdm_program_estimate(size_t *bytes, struct mdm_params *layout, maskdm_device *device,
                         const struct mdm_network *network, const maskdm_options *options, struct mdm_extent extent,
                         enum mdm_program_use use)
{
    struct mdm_graph g;
    struct mdm_ports ports;
    int status = prepare(&g, &ports, layout, device, network, options, extent, use);

    *bytes = g.arena_bytes;
    mdm_graph_free(&g);
    return status;
}

int mdm_program_count(struct mdm_program_flops *out, maskdm_model *model, struct mdm_extent extent,
                      enum mdm_program_use use)
{
    struct mdm_graph g;
    struct mdm_ports ports;
    int status = prepare(&g, &ports, &model->layout, model->device, model->network, model->options, extent, use);

    if (status == MASKDM_OK)
        *out = (struct mdm_program_flops){mdm_graph_flops(&g, 0), mdm_graph_flops(&g, 1)};
    mdm_graph_free(&g);
    return status;
}

/* What set() hands to the ports when the caller gives nothing. */
static int fill_constants(struct mdm_program *p)
{
    const int64_t batch = p->extent.batch, visible = p->extent.visible;

    if (p->ports.index != MDM_NONE && visible == p->model->geometry.patches) {
        p->every = mdm_need((size_t)batch, (size_t)visible * sizeof *p->every, "patch indices");
        if (!p->every)
            return MASKDM_ENOMEM;
        for (int64_t i = 0; i < batch * visible; i++)
            p->every[i] = (int32_t)(i % visible);
    }
    if (p->ports.label != MDM_NONE) {
        p->null_labels = mdm_need((size_t)batch, sizeof *p->null_labels, "labels");
        if (!p->null_labels)
            return MASKDM_ENOMEM;
        for (int64_t b = 0; b < batch; b++)
            p->null_labels[b] = -1;
    }
    return MASKDM_OK;
}

static int create(struct mdm_program **out, maskdm_model *model, const struct mdm_program *host,
                  struct mdm_extent extent, enum mdm_program_use use)
{
    const struct mdm_geometry *m = &model->geometry;
    struct mdm_program *p;
    int64_t cells;
    int status;

    *out = NULL;
    if (extent.visible == 0)
        extent.visible = m->patches;
    if (extent.batch < 1 || mdm_mul_i64(&cells, extent.batch, m->height * m->width * m->channels) ||
        cells > INT32_MAX)
        return mdm_fail(MASKDM_EINVAL, "a batch of %lld images of %lld x %lld is outside 1 .. 2^31 values",
                        (long long)extent.batch, (long long)m->height, (long long)m->width);
    MDM_TRY(mdm_geometry_check_extent(m, &extent));
    p = mdm_need(1, sizeof *p, "a program");
    if (!p)
        return MASKDM_ENOMEM;
    mdm_handle_hold(&model->handle);
    p->model = model;
    p->extent = extent;
    p->image_values = m->height * m->width * m->channels;
    p->output_values = mdm_geometry_predicted(m, &extent);
    status =
        prepare(&p->graph, &p->ports, &model->layout, model->device, model->network, model->options, extent, use);
    if (status == MASKDM_OK)
        status = fill_constants(p);
    if (status == MASKDM_OK && !host) {
        status = mdm_device_alloc(model->device, &p->arena, p->graph.arena_bytes, 0,
                                  use == MDM_PROGRAM_PREDICT || !p->graph.keeps
                                      ? "the arena of a program"
                                      : "the arena of a program (recompute=yes takes less)");
        p->arena_bytes = p->graph.arena_bytes;
    } else if (status == MASKDM_OK && p->graph.arena_bytes > host->graph.arena_bytes) {
        status = mdm_fail(MASKDM_ENOMEM, "a program of %zu bytes does not fit an arena of %zu bytes",
                          p->graph.arena_bytes, host->graph.arena_bytes);
    }
    if (status < 0) {
        mdm_program_release(&p);
        return status;
    }
    mdm_graph_bind(&p->graph, host ? host->graph.arena : p->arena);
    *out = p;
    return MASKDM_OK;
}

int mdm_program_create(struct mdm_program **out, maskdm_model *model, struct mdm_extent extent,
                       enum mdm_program_use use)
{
    return create(out, model, NULL, extent, use);
}

int mdm_program_create_in(struct mdm_program **out, const struct mdm_program *host, struct mdm_extent extent,
                          enum mdm_program_use use)
{
    return create(out, host->model, host, extent, use);
}

void mdm_program_release(struct mdm_program **program)
{
    struct mdm_program *p = *program;

    *program = NULL;
    if (!p)
        return;
    if (p->arena)
        mdm_device_free(p->model->device, p->arena, p->arena_bytes);
    mdm_graph_free(&p->graph);
    mdm_free(p->every);
    mdm_free(p->null_labels);
    mdm_handle_drop(&p->model->handle);
    mdm_free(p);
}

static int check_labels(const struct mdm_program *p, const int32_t *labels)
{
    int64_t classes = p->model->geometry.classes;

    for (int64_t b = 0; b < p->extent.batch; b++)
        if (labels[b] < -1 || labels[b] >= classes)
            return mdm_fail(MASKDM_EINVAL, "label %d of image %lld is outside -1 .. %lld", (int)labels[b],
                            (long long)b, (long long)classes - 1);
    return MASKDM_OK;
}

/* count of 0 .. limit-1 for every image */
static int check_rising(const struct mdm_program *p, const int32_t *index, int64_t count, int64_t limit,
                        const char *what)
{
    for (int64_t b = 0; b < p->extent.batch; b++, index += count)
        for (int64_t k = 0; k < count; k++)
            if (index[k] < 0 || index[k] >= limit || (k && index[k] <= index[k - 1]))
                return mdm_fail(MASKDM_EINVAL, "%s %d at place %lld of image %lld is not rising within 0 .. %lld",
                                what, (int)index[k], (long long)k, (long long)b, (long long)limit - 1);
    return MASKDM_OK;
}

static int upload(struct mdm_program *p, mdm_val port, const void *host, size_t bytes)
{
    void *input = mdm_graph_data(&p->graph, port);

    return port == MDM_NONE ? MASKDM_OK : mdm_device_upload(p->model->device, input, host, bytes);
}

int mdm_program_set(struct mdm_program *p, const float *x_t, const double *times, const int32_t *labels,
                    const int32_t *index)
{
    const size_t batch = (size_t)p->extent.batch, visible = (size_t)p->extent.visible;

    if (!index && !p->every && p->ports.index != MDM_NONE)
        return mdm_fail(MASKDM_EINVAL, "patch indices are needed where %zu of %lld patches are visible", visible,
                        (long long)p->model->geometry.patches);
    for (size_t b = 0; b < batch; b++)
        if (!isfinite(times[b]))
            return mdm_fail(MASKDM_EINVAL, "time %g of image %zu is not finite", times[b], b);
    if (p->model->geometry.classes == 0)
        labels = NULL; /* a network that has a port all the same knows the null class alone */
    if (p->ports.label != MDM_NONE && labels)
        MDM_TRY(check_labels(p, labels));
    if (p->ports.index != MDM_NONE && index) {
        MDM_TRY(check_rising(p, index, p->extent.visible, p->model->geometry.patches, "patch index"));
        MDM_TRY(mdm_geometry_check_index(&p->model->geometry, &p->extent, index));
    }
    if (x_t != mdm_program_input(p))
        MDM_TRY(mdm_device_copy(p->model->device, mdm_program_input(p), x_t,
                                batch * (size_t)p->image_values * sizeof *x_t));
    MDM_TRY(upload(p, p->ports.time, times, batch * sizeof *times));
    MDM_TRY(upload(p, p->ports.label, labels ? labels : p->null_labels, batch * sizeof *labels));
    return upload(p, p->ports.index, index ? index : p->every, batch * visible * sizeof *index);
}

int mdm_program_check_kept(const struct mdm_program *p, int64_t route, const int32_t *keep)
{
    return check_rising(p, keep, p->extent.routed[route], p->extent.visible, "kept token");
}

int mdm_program_set_kept(struct mdm_program *p, const int32_t *keep)
{
    for (int i = 0; i < MDM_MOST_ROUTES; i++) {
        const int64_t count = p->extent.batch * p->extent.routed[i];

        if (p->ports.keep[i] == MDM_NONE)
            continue;
        MDM_TRY(mdm_program_check_kept(p, i, keep));
        MDM_TRY(upload(p, p->ports.keep[i], keep, (size_t)count * sizeof *keep));
        keep += count;
    }
    return MASKDM_OK;
}

int mdm_program_set_dropped(struct mdm_program *p, const int32_t *dropped)
{
    return upload(p, p->ports.dropped, dropped, (size_t)p->extent.batch * sizeof *dropped);
}

void mdm_program_hold_weights(struct mdm_program *p, int steady)
{
    mdm_graph_hold_weights(&p->graph, steady);
}

int mdm_program_forward(struct mdm_program *p, const float *weights, const atomic_int *cancel)
{
    return mdm_graph_forward(&p->graph, weights, cancel);
}

int mdm_program_backward(struct mdm_program *p, const float *weights, float *gradients, const atomic_int *cancel)
{
    return mdm_graph_backward(&p->graph, weights, gradients, cancel);
}

float *mdm_program_input(const struct mdm_program *p)
{
    return mdm_graph_data(&p->graph, p->ports.image);
}

float *mdm_program_output(const struct mdm_program *p)
{
    return mdm_graph_data(&p->graph, p->ports.output);
}

float *mdm_program_output_gradient(const struct mdm_program *p)
{
    return mdm_graph_gradient(&p->graph, p->ports.output);
}

float *mdm_program_input_gradient(const struct mdm_program *p)
{
    return mdm_graph_gradient(&p->graph, p->ports.image);
}
