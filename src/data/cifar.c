/* SPDX-License-Identifier: BSD-2-Clause
 *
 * CIFAR-10 and CIFAR-100 as they are unpacked: the folder of the binary version or of the one for Python, whose
 * training batches are the images, or one batch of it by its own name. Images lie as planes of 32 x 32; a record of
 * the binary version begins with its label, and with that of its coarse class before it in CIFAR-100.
 */
#include "data/array.h"

#include "base/alloc.h"
#include "base/error.h"
#include "data/cifar_pickle.h"
#include "tensorfile/tensorfile_private.h"

#include <string.h>

enum { SIDE = 32, CHANNELS = 3, PIXELS = SIDE * SIDE * CHANNELS, TEXT_MOST = 1 << 16 };

/* The files of a version: those of training and of testing, and what names its labels. */
static const struct version {
    const char *train[6], *test, *names;
    int pickle, before; /* bytes of labels before an image */
    int classes;
} versions[] = {
    {{"data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin", "data_batch_4.bin", "data_batch_5.bin"},
     "test_batch.bin",
     "batches.meta.txt",
     0,
     1,
     10},
    {{"data_batch_1", "data_batch_2", "data_batch_3", "data_batch_4", "data_batch_5"},
     "test_batch",
     "batches.meta",
     1,
     0,
     10},
    {{"train.bin"}, "test.bin", "fine_label_names.txt", 0, 2, 100},
    {{"train"}, "test", "meta", 1, 0, 100},
};

/* What cannot be looked for is not there: whoever lists the folder says why. */
static int is_there(const char *folder, const char *name)
{
    enum mdm_file_kind kind = MDM_FILE_NONE;
    char *path = mdm_path_join(folder, name);
    int r = path ? mdm_file_kind_of(&kind, path) : MASKDM_ENOMEM;

    mdm_free(path);
    return r == MASKDM_ENOMEM ? r : r >= 0 && kind == MDM_FILE_REGULAR;
}

/* The version of a folder: its first batch and its names are there. */
static int find_in_folder(const struct version **out, const char *folder)
{
    *out = NULL;
    for (size_t i = 0; i < MDM_LENGTH(versions) && !*out; i++) {
        int there = is_there(folder, versions[i].train[0]);

        if (there > 0)
            there = is_there(folder, versions[i].names);
        MDM_TRY(there);
        if (there)
            *out = &versions[i];
    }
    return MASKDM_OK;
}

static int is_batch(const struct version *v, const char *name)
{
    for (int k = 0; v->train[k]; k++)
        if (strcmp(name, v->train[k]) == 0)
            return 1;
    return strcmp(name, v->test) == 0;
}

static const char *name_of(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}

/* A file with the name of a batch; one of a pickle begins as such. */
static const struct version *find_by_name(const char *path)
{
    for (size_t i = 0; i < MDM_LENGTH(versions); i++)
        if (is_batch(&versions[i], name_of(path)))
            return &versions[i];
    return NULL;
}

static int is_cifar(const struct mdm_source_look *look)
{
    const struct version *v;

    if (look->kind == MDM_FILE_FOLDER) {
        MDM_TRY(find_in_folder(&v, look->path));
        return v != NULL;
    }
    v = look->kind == MDM_FILE_REGULAR ? find_by_name(look->path) : NULL;
    return v && (!v->pickle || (look->n > 0 && look->head[0] == 0x80));
}

/* ---- names of labels ---- */

/* A name a line. */
static int read_lines(struct mdm_scan *s, const char *path)
{
    char *text;
    size_t n;
    int r = mdm_file_read_all(&text, &n, path, TEXT_MOST);

    for (char *at = text, *end; r >= 0 && *at; at = end) {
        size_t length = strcspn(at, "\r\n");

        end = at + length + strspn(at + length, "\r\n");
        if (length)
            r = mdm_scan_add_label(s, at, length);
    }
    mdm_free(text);
    return r;
}

static int read_pickled(struct mdm_scan *s, const char *path)
{
    struct mdm_array *a = s->source;
    struct mdm_cifar_batch b;
    int r;

    MDM_TRY(mdm_array_open(s, a->files - 1, path));
    r = mdm_cifar_batch_read(&b, &a->file[a->files - 1]);
    if (r < 0)
        return mdm_fail_prefix(r, "%s", path);
    for (int64_t i = 0; i < b.names && r >= 0; i++)
        r = mdm_scan_add_label(s, b.name[i], strlen(b.name[i]));
    mdm_cifar_batch_free(&b);
    return r;
}

/* Out of the file beside the batches; numbers where there is none. */
static int name_labels(struct mdm_scan *s, const struct version *v, const char *folder)
{
    int there = is_there(folder, v->names), r = MASKDM_OK;
    char *path;

    MDM_TRY(there);
    if (!there)
        return mdm_scan_number_labels(s, v->classes);
    path = mdm_path_join(folder, v->names);
    if (!path)
        return MASKDM_ENOMEM;
    r = v->pickle ? read_pickled(s, path) : read_lines(s, path);
    if (r >= 0 && s->labels != v->classes)
        r = mdm_fail(MASKDM_EFORMAT, "%s names %lld labels, CIFAR-%d has %d", path, (long long)s->labels, v->classes,
                     v->classes);
    mdm_free(path);
    return r;
}

/* ---- batches ---- */

static int check_label(const struct version *v, const char *path, int64_t i, int64_t label)
{
    if (label >= 0 && label < v->classes)
        return MASKDM_OK;
    return mdm_fail(MASKDM_EFORMAT, "%s: image %lld has label %lld, CIFAR-%d has %d", path, (long long)i,
                    (long long)label, v->classes, v->classes);
}

static int read_binary(struct mdm_scan *s, const struct version *v, const char *set, const char *path, int k)
{
    struct mdm_array *a = s->source;
    const uint64_t size = a->file[k].size, one = (uint64_t)PIXELS + (uint64_t)v->before;
    const int64_t count = (int64_t)(size / one);
    unsigned char label;

    if (!count || size % one)
        return mdm_fail(MASKDM_EFORMAT, "%s has %llu bytes, which are no images of %llu", path,
                        (unsigned long long)size, (unsigned long long)one);
    for (int64_t i = 0; i < count; i++) {
        const uint64_t at = (uint64_t)i * one;

        MDM_TRY(mdm_tensorfile_bytes_at(&a->file[k], &label, 1, at + (uint64_t)v->before - 1));
        MDM_TRY(check_label(v, path, i, label));
        MDM_TRY(mdm_array_add(s, set, name_of(path), i, count, label, k, at + (uint64_t)v->before));
    }
    return MASKDM_OK;
}

static int add_batch(struct mdm_scan *s, const struct version *v, const char *set, const char *path, int k,
                     const struct mdm_cifar_batch *b)
{
    if (b->columns != PIXELS || b->rows < 1 || b->labels != b->rows)
        return mdm_fail(MASKDM_EFORMAT,
                        "%s has %lld images of %lld bytes and %lld labels; one of CIFAR's has %d bytes", path,
                        (long long)b->rows, (long long)b->columns, (long long)b->labels, PIXELS);
    for (int64_t i = 0; i < b->rows; i++) {
        MDM_TRY(check_label(v, path, i, b->label[i]));
        MDM_TRY(
            mdm_array_add(s, set, name_of(path), i, b->rows, (int32_t)b->label[i], k, b->at + (uint64_t)i * PIXELS));
    }
    return MASKDM_OK;
}

static int read_pickle(struct mdm_scan *s, const struct version *v, const char *set, const char *path, int k)
{
    struct mdm_array *a = s->source;
    struct mdm_cifar_batch b;
    int r = mdm_cifar_batch_read(&b, &a->file[k]);

    if (r < 0)
        return mdm_fail_prefix(r, "%s", path);
    r = add_batch(s, v, set, path, k, &b);
    mdm_cifar_batch_free(&b);
    return r;
}

static int read_batch(struct mdm_scan *s, const struct version *v, const char *set, const char *path, int k)
{
    MDM_TRY(mdm_array_open(s, k, path));
    return v->pickle ? read_pickle(s, v, set, path, k) : read_binary(s, v, set, path, k);
}

/* All batches of training: each of them must be there. */
static int read_folder(struct mdm_scan *s, const struct version *v, const char *folder)
{
    int r = MASKDM_OK;

    for (int k = 0; v->train[k] && r >= 0; k++) {
        char *path = mdm_path_join(folder, v->train[k]);

        r = path ? read_batch(s, v, folder, path, k) : MASKDM_ENOMEM;
        mdm_free(path);
    }
    return r;
}

static int find_all(struct mdm_scan *s, const struct version *v, const char *path, int single)
{
    const size_t before = (size_t)(name_of(path) - path);
    char *folder = single ? before ? mdm_strndup(path, before) : mdm_strdup(".") : mdm_strdup(path);
    int r = folder ? name_labels(s, v, folder) : mdm_fail_memory(before + 1, "a file name");

    if (r >= 0)
        r = mdm_array_shape(s, SIDE, SIDE, CHANNELS, 8, 1);
    if (r >= 0)
        r = single ? read_batch(s, v, path, path, 0) : read_folder(s, v, folder);
    mdm_free(folder);
    return r;
}

static int find(struct mdm_scan *s, const char *path, const struct mdm_scan_except *except, const struct mdm_log *log,
                maskdm_control *control)
{
    const struct version *v;
    enum mdm_file_kind kind;

    (void)except;
    (void)log;
    (void)control;
    MDM_TRY(mdm_file_kind_of(&kind, path));
    if (kind == MDM_FILE_FOLDER)
        MDM_TRY(find_in_folder(&v, path));
    else
        v = find_by_name(path);
    MDM_TRY(mdm_array_begin(s, path, (int)MDM_LENGTH(v->train) + 1)); /* the names' file is the last */
    MDM_TRY(find_all(s, v, path, kind != MDM_FILE_FOLDER));
    mdm_scan_settle(s);
    return MASKDM_OK;
}

const struct mdm_source_class mdm_cifar_source = {.is = is_cifar,
                                                  .find = find,
                                                  .bytes = mdm_array_bytes,
                                                  .samples = mdm_array_samples,
                                                  .close = mdm_array_close};
