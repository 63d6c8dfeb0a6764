/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Files of arrays as sources of images: NumPy's .npy and .npz, and .safetensors, which a packed file is. They are
 * read in place, in any order, with nothing to decode. The images are one array of 8 or 16 bits, images x height x
 * width, with channels behind or before the sides; labels, where there are any, another one of integers.
 */
#include "data/array.h"

#include "base/alloc.h"
#include "base/error.h"
#include "data/label_list.h"
#include "data/left_out.h"
#include "data/packed.h"
#include "tensorfile/foreign.h"
#include "tensorfile/tensorfile_private.h"
#include "text/text.h"

#include <string.h>

/* What people call them: those of maskdm pack, guided-diffusion's samples, Keras's and MedMNIST's sets. */
static const struct pair {
    const char *images, *labels;
} pairs[] = {
    {"images", "labels"}, {"arr_0", "arr_1"}, {"x_train", "y_train"}, {"train_images", "train_labels"},
    {"x", "y"},           {"data", "labels"},
};

static int bits_of(const struct mdm_tensorfile_tensor *t)
{
    return strcmp(t->dtype, "U8") == 0 ? 8 : strcmp(t->dtype, "U16") == 0 ? 16 : 0;
}

static int may_be_images(const struct mdm_tensorfile_tensor *t)
{
    return bits_of(t) && (t->rank == 3 || t->rank == 4) && t->elements > 0;
}

/* "x (F32, 10 x 3)" */
static void describe(struct mdm_text *out, const struct mdm_tensorfile_tensor *t)
{
    mdm_text_addf(out, "%.160s (%s", t->name, t->dtype);
    for (int d = 0; d < t->rank; d++)
        mdm_text_addf(out, d ? " x %lld" : ", %lld", (long long)t->shape[d]);
    mdm_text_add(out, ")");
}

/* What there is in place of one array of images: the first few. */
static int refuse(const struct mdm_tensorfile *f, const char *what)
{
    enum { MOST = 4 };
    struct mdm_text t = {0};
    int r;

    for (int64_t i = 0; i < f->count && i < MOST; i++) {
        mdm_text_add(&t, i ? ", " : "");
        describe(&t, &f->tensor[i]);
    }
    mdm_text_add(&t, f->count > MOST ? ", ..." : f->count ? "" : "nothing");
    r = mdm_text_ok(&t);
    if (r >= 0)
        r = mdm_fail(MASKDM_EFORMAT,
                     "it holds %s of images, which are U8 or U16, images x height x width or x channels as well: %s",
                     what, t.data);
    mdm_text_free(&t);
    return r;
}

/* By name, else the only one; *labels is what its labels are called. */
static int choose(int64_t *images, const char **labels, const struct mdm_tensorfile *f)
{
    int64_t fitting = 0;

    *labels = pairs[0].labels;
    for (size_t k = 0; k < MDM_LENGTH(pairs); k++) {
        *images = mdm_tensorfile_find(f, pairs[k].images);
        if (*images >= 0 && may_be_images(&f->tensor[*images])) {
            *labels = pairs[k].labels;
            return MASKDM_OK;
        }
    }
    for (int64_t i = 0; i < f->count; i++)
        if (may_be_images(&f->tensor[i])) {
            *images = i;
            fitting++;
        }
    return fitting == 1 ? MASKDM_OK : refuse(f, fitting ? "several arrays" : "no array");
}

static int set_shape(struct mdm_scan *s, const struct mdm_tensorfile_tensor *t)
{
    const int last = t->rank == 3 || (t->shape[3] >= 1 && t->shape[3] <= 4);

    if (t->scattered)
        return mdm_fail(MASKDM_EFORMAT, "array %.160s lies in Fortran's order, which is not read as images", t->name);
    if (!last && (t->shape[1] < 1 || t->shape[1] > 4))
        return mdm_fail(MASKDM_EFORMAT, "array %.160s of %lld x %lld x %lld x %lld has 1 to 4 channels in no place",
                        t->name, (long long)t->shape[0], (long long)t->shape[1], (long long)t->shape[2],
                        (long long)t->shape[3]);
    if (t->rank == 3)
        return mdm_array_shape(s, t->shape[1], t->shape[2], 1, bits_of(t), 0);
    return last ? mdm_array_shape(s, t->shape[1], t->shape[2], t->shape[3], bits_of(t), 0)
                : mdm_array_shape(s, t->shape[2], t->shape[3], t->shape[1], bits_of(t), 1);
}

/* *labels: one for each of `count` images, to be freed; NULL: there are none. */
static int read_labels(int64_t **labels, struct mdm_tensorfile *f, const char *name, int64_t count)
{
    const int64_t i = mdm_tensorfile_find(f, name);
    int r;

    *labels = NULL;
    if (i < 0)
        return MASKDM_OK;
    if (f->tensor[i].elements != count)
        return mdm_fail(MASKDM_EFORMAT, "%lld labels in array %s for %lld images", (long long)f->tensor[i].elements,
                        name, (long long)count);
    *labels = mdm_need((size_t)count, sizeof **labels, "labels");
    if (!*labels)
        return MASKDM_ENOMEM;
    r = mdm_tensorfile_read_i64(f, i, *labels, count);
    for (int64_t k = 0; k < count && r >= 0; k++)
        if ((*labels)[k] < -1 || (*labels)[k] > MDM_LABEL_MOST)
            r = mdm_fail(MASKDM_EFORMAT, "label %lld of image %lld is no number of 0 to %d, or -1 for none",
                         (long long)(*labels)[k], (long long)k, MDM_LABEL_MOST);
    return r;
}

static int add_images(struct mdm_scan *s, const char *path, struct mdm_tensorfile *f,
                      const struct mdm_tensorfile_tensor *t, const int64_t *labels)
{
    const struct mdm_array *a = s->source;
    const int64_t count = t->shape[0];
    struct mdm_packed_names names;
    int r = mdm_packed_names_read(&names, f, count);

    for (int64_t i = 0; i < count && r >= 0; i++) {
        const int32_t label = labels ? (int32_t)labels[i] : -1;
        const uint64_t at = f->data_at + t->begin + (uint64_t)i * a->one;
        const char *name = mdm_packed_names_next(&names);

        r = name ? mdm_array_add_named(s, path, name, label, 0, at)
                 : mdm_array_add(s, path, "", i, count, label, 0, at);
    }
    mdm_packed_names_free(&names);
    return r;
}

static int name_labels(struct mdm_scan *s, const struct mdm_tensorfile *f, const int64_t *labels, int64_t count)
{
    int64_t most = 0;

    for (int64_t i = 0; labels && i < count; i++)
        if (labels[i] >= most)
            most = labels[i] + 1;
    return mdm_packed_label_names(s, f, most);
}

static int take(struct mdm_scan *s, const char *path, struct mdm_tensorfile *f)
{
    const char *called;
    int64_t images, *labels = NULL;
    int r;

    MDM_TRY(choose(&images, &called, f));
    MDM_TRY(set_shape(s, &f->tensor[images]));
    MDM_TRY(mdm_tensorfile_check_part(f, &f->tensor[images]));
    r = read_labels(&labels, f, called, f->tensor[images].shape[0]);
    if (r >= 0)
        r = name_labels(s, f, labels, f->tensor[images].shape[0]);
    if (r >= 0)
        r = add_images(s, path, f, &f->tensor[images], labels);
    mdm_free(labels);
    return r;
}

static int find(struct mdm_scan *s, const char *path, const struct mdm_scan_except *except, const struct mdm_log *log,
                maskdm_control *control)
{
    struct mdm_array *a;
    int r;

    (void)except;
    (void)log;
    (void)control;
    MDM_TRY(mdm_array_begin(s, path, 1));
    a = s->source;
    MDM_TRY(mdm_tensorfile_open(a->file, path));
    r = take(s, path, a->file);
    if (r < 0)
        return mdm_fail_prefix(r, "%s", path);
    mdm_scan_settle(s);
    return MASKDM_OK;
}

/* A zip archive whose first entry is an array; a head of JSON whose length is before it. */
static int is_tensors(const struct mdm_source_look *look)
{
    const unsigned char *h = look->head;

    if (look->kind != MDM_FILE_REGULAR)
        return 0;
    if (mdm_has_suffix(look->path, ".npy") || mdm_has_suffix(look->path, ".npz") ||
        mdm_has_suffix(look->path, ".safetensors"))
        return 1;
    if (look->n > 30 && memcmp(h, "PK\3\4", 4) == 0)
        return mdm_foreign_is_npz(h, look->n);
    return look->n > 9 && (memcmp(h, "\x93NUMPY", 6) == 0 || (h[8] == '{' && !h[4] && !h[5] && !h[6] && !h[7]));
}

const struct mdm_source_class mdm_tensors_source = {.is = is_tensors,
                                                    .find = find,
                                                    .bytes = mdm_array_bytes,
                                                    .samples = mdm_array_samples,
                                                    .close = mdm_array_close};
