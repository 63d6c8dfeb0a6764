/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Kind "inception": features by pytorch-fid's Inception-v3. The real weights are brought by whoever has them; here
 * all tensors of its state dict are filled by a formula from their names, go through a file and maskdm_convert(), and
 * the features of the case's images are compared.
 */
#include "case.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MOST = 512, NAME = 128, MODULE = 64, CLASSES = 1008 };

struct tensor {
    char name[NAME];
    int64_t shape[4];
    int rank;
    float *value;
};

struct weights {
    struct tensor tensor[MOST];
    int count;
};

/* ---- what stands in pytorch-fid's state dict ---- */

static void add(struct weights *w, const char *module, const char *name, int rank, int64_t a, int64_t b, int64_t c,
                int64_t d)
{
    struct tensor *t = &w->tensor[w->count++];

    snprintf(t->name, sizeof t->name, "%s.%s", module, name);
    t->rank = rank;
    t->shape[0] = a;
    t->shape[1] = b;
    t->shape[2] = c;
    t->shape[3] = d;
}

/* A convolution and its norm; answers the channels that it makes. */
static int64_t conv(struct weights *w, const char *block, const char *name, int64_t in, int64_t out, int64_t tall,
                    int64_t wide)
{
    static const char *const norms[] = {"bn.weight", "bn.bias", "bn.running_mean", "bn.running_var"};
    char module[MODULE];

    snprintf(module, sizeof module, "%s%s%s", block, *block ? "." : "", name);
    add(w, module, "conv.weight", 4, out, in, tall, wide);
    for (int i = 0; i < 4; i++)
        add(w, module, norms[i], 1, out, 1, 1, 1);
    return out;
}

static int64_t block_a(struct weights *w, const char *b, int64_t in, int64_t pool)
{
    conv(w, b, "branch1x1", in, 64, 1, 1);
    conv(w, b, "branch5x5_1", in, 48, 1, 1);
    conv(w, b, "branch5x5_2", 48, 64, 5, 5);
    conv(w, b, "branch3x3dbl_1", in, 64, 1, 1);
    conv(w, b, "branch3x3dbl_2", 64, 96, 3, 3);
    conv(w, b, "branch3x3dbl_3", 96, 96, 3, 3);
    return 64 + 64 + 96 + conv(w, b, "branch_pool", in, pool, 1, 1);
}

static void block_b(struct weights *w, const char *b)
{
    conv(w, b, "branch3x3", 288, 384, 3, 3);
    conv(w, b, "branch3x3dbl_1", 288, 64, 1, 1);
    conv(w, b, "branch3x3dbl_2", 64, 96, 3, 3);
    conv(w, b, "branch3x3dbl_3", 96, 96, 3, 3);
}

static void block_c(struct weights *w, const char *b, int64_t c7)
{
    conv(w, b, "branch1x1", 768, 192, 1, 1);
    conv(w, b, "branch7x7_1", 768, c7, 1, 1);
    conv(w, b, "branch7x7_2", c7, c7, 1, 7);
    conv(w, b, "branch7x7_3", c7, 192, 7, 1);
    conv(w, b, "branch7x7dbl_1", 768, c7, 1, 1);
    conv(w, b, "branch7x7dbl_2", c7, c7, 7, 1);
    conv(w, b, "branch7x7dbl_3", c7, c7, 1, 7);
    conv(w, b, "branch7x7dbl_4", c7, c7, 7, 1);
    conv(w, b, "branch7x7dbl_5", c7, 192, 1, 7);
    conv(w, b, "branch_pool", 768, 192, 1, 1);
}

static void block_d(struct weights *w, const char *b)
{
    conv(w, b, "branch3x3_1", 768, 192, 1, 1);
    conv(w, b, "branch3x3_2", 192, 320, 3, 3);
    conv(w, b, "branch7x7x3_1", 768, 192, 1, 1);
    conv(w, b, "branch7x7x3_2", 192, 192, 1, 7);
    conv(w, b, "branch7x7x3_3", 192, 192, 7, 1);
    conv(w, b, "branch7x7x3_4", 192, 192, 3, 3);
}

static void block_e(struct weights *w, const char *b, int64_t in)
{
    conv(w, b, "branch1x1", in, 320, 1, 1);
    conv(w, b, "branch3x3_1", in, 384, 1, 1);
    conv(w, b, "branch3x3_2a", 384, 384, 1, 3);
    conv(w, b, "branch3x3_2b", 384, 384, 3, 1);
    conv(w, b, "branch3x3dbl_1", in, 448, 1, 1);
    conv(w, b, "branch3x3dbl_2", 448, 384, 3, 3);
    conv(w, b, "branch3x3dbl_3a", 384, 384, 1, 3);
    conv(w, b, "branch3x3dbl_3b", 384, 384, 3, 1);
    conv(w, b, "branch_pool", in, 192, 1, 1);
}

static void list_tensors(struct weights *w)
{
    conv(w, "", "Conv2d_1a_3x3", 3, 32, 3, 3);
    conv(w, "", "Conv2d_2a_3x3", 32, 32, 3, 3);
    conv(w, "", "Conv2d_2b_3x3", 32, 64, 3, 3);
    conv(w, "", "Conv2d_3b_1x1", 64, 80, 1, 1);
    conv(w, "", "Conv2d_4a_3x3", 80, 192, 3, 3);
    block_a(w, "Mixed_5d", block_a(w, "Mixed_5c", block_a(w, "Mixed_5b", 192, 32), 64), 64);
    block_b(w, "Mixed_6a");
    block_c(w, "Mixed_6b", 128);
    block_c(w, "Mixed_6c", 160);
    block_c(w, "Mixed_6d", 160);
    block_c(w, "Mixed_6e", 192);
    block_d(w, "Mixed_7a");
    block_e(w, "Mixed_7b", 1280);
    block_e(w, "Mixed_7c", 2048);
    add(w, "fc", "weight", 2, CLASSES, 2048, 1, 1);
    add(w, "fc", "bias", 1, CLASSES, 1, 1, 1);
}

/* ---- their values ---- */

static uint64_t hash(const char *name)
{
    uint64_t h = 0xcbf29ce484222325u;

    for (; *name; name++)
        h = (h ^ (unsigned char)*name) * 0x100000001b3u;
    return h;
}

/* The top 24 bits of splitmix64's output for that state, in 0 .. 1. */
static double draw(uint64_t state)
{
    uint64_t z = state + 0x9e3779b97f4a7c15u;

    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    z ^= z >> 31;
    return (double)(z >> 40) / (1 << 24);
}

static int ends(const char *name, const char *with)
{
    const size_t n = strlen(name), m = strlen(with);

    return n >= m && !strcmp(name + n - m, with);
}

static int fill(struct tensor *t)
{
    const int64_t each = t->shape[1] * t->shape[2] * t->shape[3], count = t->shape[0] * each;
    const int positive = ends(t->name, "bn.weight") || ends(t->name, "bn.running_var");
    const int product = ends(t->name, "conv.weight") || ends(t->name, "fc.weight");
    const double bound = product ? sqrt(6 / (double)each) : 0.1;
    const uint64_t h = hash(t->name);

    t->value = malloc((size_t)count * sizeof *t->value);
    for (int64_t i = 0; t->value && i < count; i++) {
        const double u = draw(h + (uint64_t)i);

        t->value[i] = (float)(positive ? 0.5 + u : (2 * u - 1) * bound);
    }
    return t->value ? 0 : -1;
}

static int write_weights(struct reference_case *c, const char *path)
{
    struct weights *w = calloc(1, sizeof *w);
    maskdm_file_writer *out = NULL;
    int bad = !w || case_ok(c, maskdm_file_writer_create(&out), "a writer");

    if (!bad)
        list_tensors(w);
    for (int i = 0; !bad && i < w->count; i++) {
        struct tensor *t = &w->tensor[i];

        bad =
            fill(t) || case_ok(c, maskdm_file_writer_add(out, t->name, "F32", t->shape, t->rank, t->value), t->name);
    }
    bad = bad || case_ok(c, maskdm_file_writer_save(out, path), path);
    maskdm_file_writer_release(&out);
    for (int i = 0; w && i < w->count; i++)
        free(w->tensor[i].value);
    free(w);
    return bad;
}

static int convert(struct reference_case *c, const char *from, const char *to)
{
    maskdm_options *o = NULL;
    int bad = case_ok(c, maskdm_options_create(&o, "convert"), "options") ||
              case_ok(c, maskdm_options_set(o, "from", from), from) ||
              case_ok(c, maskdm_options_set(o, "out", to), to) ||
              case_ok(c, maskdm_convert(o, NULL), "maskdm_convert");

    maskdm_options_release(&o);
    return bad;
}

/* By way of two files in the current folder. */
static maskdm_extractor *load(struct reference_case *c)
{
    maskdm_extractor *e = NULL;
    char from[64], to[64];

    snprintf(from, sizeof from, "inception-%ld.safetensors", (long)getpid());
    snprintf(to, sizeof to, "inception-%ld-folded.safetensors", (long)getpid());
    if (!write_weights(c, from) && !convert(c, from, to))
        case_ok(c, maskdm_extractor_load(&e, c->device, to), to);
    remove(from);
    remove(to);
    return e;
}

void case_inception(struct reference_case *c)
{
    const int64_t count = case_dim(c, "input.images", 0), height = case_dim(c, "input.images", 1);
    const int64_t width = case_dim(c, "input.images", 2), channels = case_dim(c, "input.images", 3);
    int64_t values = 0;
    float *images = case_f32(c, "input.images", &values), *rows = malloc((size_t)count * 2048 * sizeof *rows + 1);
    maskdm_extractor *e = load(c);

    for (int64_t i = 0; images && i < values; i++)
        images[i] /= 255;
    if (images && rows && e &&
        !case_ok(c, maskdm_extractor_run(e, count, height, width, (int)channels, images, NULL, rows), "features"))
        case_compare_f32(c, "expect.features", rows, count * 2048, TENSOR_BOUND);
    maskdm_extractor_release(&e);
    free(images);
    free(rows);
}
