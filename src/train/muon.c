/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Muon: the hidden matrices of a network are moved by their momentum, orthogonalized. Jordan et al. 2024 (the program
 * KellerJordan/Muon, and PyTorch's torch.optim.Muon); match_rms is Liu et al., arXiv 2502.16982. Which weights are
 * hidden is the network's to say (mdm_param.parts), and a joint weight, q, k and v's, is one matrix for each.
 */
#include "train/muon.h"

#include "base/alloc.h"
#include "base/error.h"
#include "train/optimizer.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Of the quintic, whose slope at 0 is steep: what is near 0 comes near 1 in five steps, and what is near 1 stays
 * about there. */
static const double coefficient[3] = {3.4445, -4.7750, 2.0315};
static const double least_norm = 1e-7;

/* ---- what the rate is multiplied by ---- */

static double at_least_one(double ratio)
{
    return sqrt(ratio > 1 ? ratio : 1);
}

static double by_height(double rows, double columns, const struct mdm_shape *s)
{
    (void)s;
    return at_least_one(rows / columns);
}

static double by_adamw(double rows, double columns, const struct mdm_shape *s)
{
    (void)s;
    return 0.2 * sqrt(rows > columns ? rows : columns);
}

static double by_window(double rows, double columns, const struct mdm_shape *s)
{
    return at_least_one(s->n == 4 ? (double)s->d[2] / (double)s->d[3] : rows / columns);
}

static const struct {
    const char *name;
    double (*factor)(double rows, double columns, const struct mdm_shape *s);
    int adds; /* it divides by norm + least_norm, the others by the larger of the two */
} scales[] = {{"original", by_height, 0}, {"match_rms", by_adamw, 0}, {"kernel", by_window, 1}};

const char *mdm_muon_scale_name(int i)
{
    return i >= 0 && i < (int)MDM_LENGTH(scales) ? scales[i].name : NULL;
}

/* ---- matrices ---- */

/* The matrices of a layout, and those of a step among them. */
struct kept {
    int64_t count;
    struct mdm_muon_matrix *matrix, *due; /* of `matrix`, rate is the factor of its shape */
    int *param;                           /* whose it is */
    void *scratch;
    size_t bytes;
};

static int takes(const struct mdm_param *p)
{
    return p->parts > 0;
}

static int64_t count_matrices(const struct mdm_params *l)
{
    int64_t count = 0;

    for (int i = 0; i < l->count; i++)
        count += l->list[i].frozen ? 0 : l->list[i].parts;
    return count;
}

/* Part `part` of a parameter. */
static struct mdm_muon_matrix matrix_of(const maskdm_optimizer *o, const struct mdm_param *p, int part)
{
    struct mdm_muon_matrix m = {.rows = p->shape.d[0] / p->parts,
                                .columns = mdm_shape_numel(&p->shape) / p->shape.d[0]};

    m.at = p->at + (size_t)(part * m.rows * m.columns);
    m.rate = scales[o->muon.scale].factor((double)m.rows, (double)m.columns, &p->shape);
    return m;
}

static double flops_of(const struct mdm_muon_matrix *m)
{
    const double rows = (double)m->rows, columns = (double)m->columns, side = rows < columns ? rows : columns;

    return 4 * side * rows * columns + 2 * side * side * side;
}

/* The largest first, those of one shape together. */
static int by_size(const void *a, const void *b)
{
    const struct mdm_muon_matrix *x = a, *y = b;
    const double p = flops_of(x), q = flops_of(y);

    if (p != q)
        return p < q ? 1 : -1;
    if (x->rows != y->rows)
        return x->rows < y->rows ? 1 : -1;
    return x->at < y->at ? -1 : 1;
}

static int owner_of(const struct mdm_params *l, const struct mdm_muon_matrix *m)
{
    int i = l->count - 1;

    while (l->list[i].at > m->at)
        i--;
    return i;
}

static struct mdm_muon job_of(const maskdm_optimizer *o, const struct mdm_muon_matrix *matrix, int64_t count)
{
    return (struct mdm_muon){.count = count,
                             .matrix = matrix,
                             .momentum = o->muon.momentum,
                             .floor = least_norm,
                             .a = coefficient[0],
                             .b = coefficient[1],
                             .c = coefficient[2],
                             .nesterov = o->muon.nesterov,
                             .adds = scales[o->muon.scale].adds,
                             .steps = o->muon.steps};
}

static void fill_matrices(const maskdm_optimizer *o, const struct mdm_params *l, struct mdm_muon_matrix *out)
{
    int64_t n = 0;

    for (int i = 0; i < l->count; i++)
        for (int part = 0; !l->list[i].frozen && part < l->list[i].parts; part++)
            out[n++] = matrix_of(o, &l->list[i], part);
}

/* ---- the class ---- */

static int read_options(maskdm_optimizer *o, const struct mdm_optimizer_options *told)
{
    const int own_rate = *mdm_options_text(o->options, "muon_lr") != 0;

    if (own_rate && told->muon_lr > 0 && told->lr == 0)
        return mdm_fail(MASKDM_EINVAL, "%s is %g, but %s, by whose schedule it goes, is 0",
                        mdm_options_said(o->options, "muon_lr"), told->muon_lr, mdm_options_said(o->options, "lr"));
    o->muon = (struct mdm_muon_settings){.ratio = own_rate && told->lr > 0 ? told->muon_lr / told->lr : 1,
                                         .weight_decay = *mdm_options_text(o->options, "muon_weight_decay")
                                                             ? told->muon_weight_decay
                                                             : told->weight_decay,
                                         .momentum = told->muon_momentum,
                                         .nesterov = told->muon_nesterov,
                                         .scale = told->muon_scale,
                                         .steps = (int)told->muon_steps};
    return MASKDM_OK;
}

static void unbind(maskdm_optimizer *o)
{
    struct kept *k = o->kept;

    if (!k)
        return;
    if (k->scratch)
        mdm_device_free(o->device, k->scratch, k->bytes);
    mdm_free(k->matrix);
    mdm_free(k->due);
    mdm_free(k->param);
    mdm_free(k);
    o->kept = NULL;
}

/* What it took is given back by unbind(). */
static int bind(maskdm_optimizer *o)
{
    struct kept *k = o->kept = mdm_need(1, sizeof *k, "the optimizer's matrices");
    struct mdm_backend *b = mdm_device_backend(o->device);
    struct mdm_muon job;

    if (!k)
        return MASKDM_ENOMEM;
    k->count = count_matrices(o->layout);
    if (!k->count)
        return MASKDM_OK;
    k->matrix = mdm_need((size_t)k->count, sizeof *k->matrix, "the optimizer's matrices");
    k->due = mdm_need((size_t)k->count, sizeof *k->due, "the optimizer's matrices");
    k->param = mdm_need((size_t)k->count, sizeof *k->param, "the optimizer's matrices");
    if (!k->matrix || !k->due || !k->param)
        return MASKDM_ENOMEM;
    fill_matrices(o, o->layout, k->matrix);
    qsort(k->matrix, (size_t)k->count, sizeof *k->matrix, by_size);
    for (int64_t i = 0; i < k->count; i++)
        k->param[i] = owner_of(o->layout, &k->matrix[i]);
    job = job_of(o, k->matrix, k->count);
    k->bytes = b->v->muon_scratch(b, &job);
    return mdm_device_alloc(o->device, &k->scratch, k->bytes, 0, "the optimizer's products");
}

/* Without memory for the list there will be none for the optimizer either. */
static size_t bytes_of(const maskdm_optimizer *o, maskdm_device *device, const struct mdm_params *layout)
{
    struct mdm_backend *b = mdm_device_backend(device);
    const int64_t count = count_matrices(layout);
    struct mdm_muon_matrix *matrix = mdm_malloc((size_t)count * sizeof *matrix + 1);
    struct mdm_muon job = job_of(o, matrix, matrix ? count : 0);
    size_t bytes;

    if (matrix)
        fill_matrices(o, layout, matrix);
    bytes = b->v->muon_scratch(b, &job);
    mdm_free(matrix);
    return bytes;
}

static int update(const maskdm_optimizer *o, struct mdm_backend *b, double lr, double grad_scale)
{
    struct kept *k = o->kept;
    struct mdm_muon job = job_of(o, k->due, 0);

    for (int64_t i = 0; i < k->count; i++) {
        const struct mdm_param *p = &o->layout->list[k->param[i]];
        const struct mdm_group *group = mdm_optimizer_group_of(o, p->name);
        const double rate = lr * o->muon.ratio * (group ? group->lr_factor : 1);
        const double decay = group && !isnan(group->weight_decay) ? group->weight_decay : o->muon.weight_decay;

        if (!mdm_optimizer_takes(o, p))
            continue;
        k->due[job.count] = k->matrix[i];
        k->due[job.count].keep = 1 - rate * decay;
        k->due[job.count++].rate *= rate;
    }
    job.w = o->weights;
    job.g = o->gradients;
    job.m = o->moment1;
    job.scratch = k->scratch;
    job.grad_scale = grad_scale;
    return job.count ? b->v->muon(b, &job) : MASKDM_OK;
}

static void share(struct mdm_optimizer_share *out, const maskdm_optimizer *o)
{
    const struct kept *k = o->kept;

    *out = (struct mdm_optimizer_share){.matrices = k->count};
    for (int64_t i = 0; i < k->count; i++) {
        out->elements += k->matrix[i].rows * k->matrix[i].columns;
        out->flops += o->muon.steps * flops_of(&k->matrix[i]);
    }
}

const struct mdm_optimizer_class mdm_muon = {.name = "muon",
                                             .takes = takes,
                                             .read = read_options,
                                             .bind = bind,
                                             .bytes = bytes_of,
                                             .unbind = unbind,
                                             .update = update,
                                             .share = share};
