/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Samples as files: one grid, or a folder of single images. Whether the place is free is asked before the first step,
 * since sampling takes long. A folder is written group by group, so that its number of images knows no bound.
 */
#include "sample/sampler.h"

#include "io/image.h"
#include "sample/pixels.h"
#include "util/alloc.h"
#include "util/file.h"
#include "util/json.h"

#include <string.h>

enum { MOST_IN_GRID = 65536 };

/* Forward a failure record of io/ to this thread. */
static int heard(int status, const struct maskdm_failure *f)
{
    return status < 0 ? maskdm_failure_record(f) : status;
}

/* Where finished images go: into a grid's list, or, where there is none, to the disk at once. */
struct output {
    const char *path;
    int bits;
    const struct maskdm_geometry *geometry;
    struct maskdm_pixels pixels;
    unsigned char *byte; /* samples of one image, for 8 bits: rounded once, as maskdm_sampler_run() does */
    maskdm_image **grid; /* [count] */
};

static int make_image(maskdm_image **out, const struct output *o, const float *x)
{
    const struct maskdm_geometry *g = o->geometry;
    struct maskdm_failure f = {0};

    MASKDM_TRY(heard(maskdm_picture_create(out, g->height, g->width, (int)g->channels, &f), &f));
    if (o->bits == 16) {
        maskdm_pixels_write(&o->pixels, (*out)->sample, 0, 1, x);
        return MASKDM_OK;
    }
    maskdm_pixels_write(&o->pixels, o->byte, 0, 1, x);
    for (int64_t i = 0; i < g->height * g->width * g->channels; i++)
        (*out)->sample[i] = (uint16_t)(o->byte[i] * 257);
    return MASKDM_OK;
}

static int write_one(const maskdm_image *image, int64_t number, const struct output *o)
{
    struct maskdm_text path = {0};
    struct maskdm_failure f = {0};
    int status;

    maskdm_text_addf(&path, "%s/%06lld.png", o->path, (long long)number);
    status = maskdm_text_ok(&path);
    if (status >= 0)
        status = heard(maskdm_picture_write_png(image, path.data, o->bits, &f), &f);
    maskdm_text_free(&path);
    return status;
}

static int take_images(void *user, int64_t first, int64_t batch, const float *x)
{
    const struct output *o = user;
    const int64_t n = o->geometry->height * o->geometry->width * o->geometry->channels;

    for (int64_t i = 0; i < batch; i++) {
        maskdm_image *image = NULL;
        int status = make_image(o->grid ? &o->grid[first + i] : &image, o, x + i * n);

        if (status >= 0 && !o->grid)
            status = write_one(image, first + i, o);
        maskdm_picture_free(&image);
        MASKDM_TRY(status);
    }
    return MASKDM_OK;
}

static int need_parent_folder(const char *path)
{
    const char *slash = strrchr(path, '/');
    enum maskdm_file_kind kind = MASKDM_FILE_NONE;
    char *folder;
    int status;

    if (!slash || slash == path)
        return MASKDM_OK;
    folder = maskdm_strndup(path, (size_t)(slash - path));
    if (!folder)
        return maskdm_fail_memory((size_t)(slash - path) + 1, "the name of a folder");
    status = maskdm_file_kind_of(&kind, folder);
    if (status >= 0 && kind != MASKDM_FILE_FOLDER)
        status = maskdm_fail(MASKDM_ENOTFOUND, "cannot write %s: there is no folder %s", path, folder);
    maskdm_free(folder);
    return status;
}

static int write_grid(maskdm_sampler *s, int64_t count, const int32_t *labels, int64_t columns, struct output *o)
{
    struct maskdm_failure f = {0};
    maskdm_image *grid = NULL;
    int status;

    if (count > MOST_IN_GRID)
        return maskdm_fail(MASKDM_EINVAL, "%lld images in one grid; at most %d, or give a folder", (long long)count,
                           MOST_IN_GRID);
    MASKDM_TRY(need_parent_folder(o->path));
    o->grid = maskdm_need((size_t)count, sizeof *o->grid, "pictures");
    if (!o->grid)
        return MASKDM_ENOMEM;
    status = maskdm_sampling_each(s, count, NULL, labels, take_images, o);
    if (status >= 0)
        status = heard(maskdm_picture_grid(&grid, (const maskdm_image *const *)o->grid, count, columns, &f), &f);
    if (status >= 0)
        status = heard(maskdm_picture_write_png(grid, o->path, o->bits, &f), &f);
    maskdm_picture_free(&grid);
    for (int64_t i = 0; i < count; i++)
        maskdm_picture_free(&o->grid[i]);
    maskdm_free(o->grid);
    return status;
}

static int refuse_entry(void *user, const char *name, enum maskdm_file_kind kind)
{
    (void)kind;
    return maskdm_fail(MASKDM_EINVAL, "%s is not empty: it holds %s", (const char *)user, name);
}

static int need_empty_folder(const char *path)
{
    char folder[MASKDM_ERROR_TEXT];
    enum maskdm_file_kind kind;

    MASKDM_TRY(maskdm_file_kind_of(&kind, path));
    if (kind == MASKDM_FILE_NONE)
        return maskdm_folder_make(path);
    if (kind != MASKDM_FILE_FOLDER)
        return maskdm_fail(MASKDM_EINVAL, "%s is not a folder; a grid's name ends in .png", path);
    folder[0] = '\0';
    strncat(folder, path, sizeof folder - 1);
    return maskdm_folder_list(path, refuse_entry, folder);
}

int maskdm_sampling_write(maskdm_sampler *s, int64_t count, const int32_t *labels, int64_t columns, int bits,
                          const char *path)
{
    const struct maskdm_geometry *g = &s->model->geometry;
    struct output o = {.path = path, .bits = bits, .geometry = g};
    const size_t n = strlen(path);
    int status;

    if (count < 1)
        return maskdm_fail(MASKDM_EINVAL, "%lld images to write", (long long)count);
    if (bits != 8 && bits != 16)
        return maskdm_fail(MASKDM_EINVAL, "PNG files of %d bits; 8 or 16", bits);
    MASKDM_TRY(maskdm_pixels_layout(&o.pixels, g, 1, bits == 8 ? MASKDM_SAMPLE_U8 : MASKDM_SAMPLE_U16, 0, 0));
    o.byte = maskdm_need((size_t)(g->height * g->width), (size_t)g->channels, "a picture");
    if (!o.byte)
        return MASKDM_ENOMEM;
    if (n > 4 && !strcmp(path + n - 4, ".png")) {
        status = write_grid(s, count, labels, columns, &o);
    } else {
        status = maskdm_sampling_check_labels(s->model, count, labels);
        if (status >= 0)
            status = need_empty_folder(path);
        if (status >= 0)
            status = maskdm_sampling_each(s, count, NULL, labels, take_images, &o);
    }
    maskdm_free(o.byte);
    return status;
}
