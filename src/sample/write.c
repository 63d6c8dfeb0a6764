/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Samples as files: one grid, or single images in a folder. All memory that depends on sizes is taken before the
 * first step, since sampling takes long. Single images are written group by group, so that their number knows no
 * bound.
 */
#include "base/format.h"
#include "sample/sampler.h"

#include "base/alloc.h"
#include "image/image.h"
#include "os/file.h"
#include "sample/pixels.h"

/* Where finished images go: into a grid's sheet, or, where there is none, to the disk at once. */
struct output {
    int bits;
    const struct mdm_geometry *geometry;
    struct mdm_pixels pixels;
    unsigned char *byte; /* samples of one image, for 8 bits: rounded once, as maskdm_sampler_run() does */
    maskdm_image *image; /* the one at hand */
    maskdm_image *sheet;
    int64_t columns; /* of the sheet */
    const char *folder;
    const int64_t *number; /* of each image; NULL: as they come */
    int64_t *written;
};

static void fill_image(struct output *o, const float *x)
{
    const struct mdm_geometry *g = o->geometry;

    if (o->bits == 16) {
        mdm_pixels_write(&o->pixels, o->image->sample, 0, 1, x);
        return;
    }
    mdm_pixels_write(&o->pixels, o->byte, 0, 1, x);
    for (int64_t i = 0; i < g->height * g->width * g->channels; i++)
        o->image->sample[i] = (uint16_t)(o->byte[i] * 257);
}

void mdm_sampler_name(char out[MDM_SAMPLING_NAME], int64_t number)
{
    mdm_format(out, MDM_SAMPLING_NAME, "%06lld.png", (long long)number);
}

static int write_one(const struct output *o, int64_t number)
{
    char name[MDM_SAMPLING_NAME], *path;
    int status;

    mdm_sampler_name(name, number);
    path = mdm_path_join(o->folder, name);
    if (!path)
        return MASKDM_ENOMEM;
    status = mdm_image_write_png(o->image, path, o->bits);
    mdm_free(path);
    return status;
}

static int take_images(void *user, int64_t first, int64_t batch, const float *x)
{
    struct output *o = user;
    const int64_t n = o->geometry->height * o->geometry->width * o->geometry->channels;

    for (int64_t i = first; i < first + batch; i++, x += n) {
        fill_image(o, x);
        if (o->sheet) {
            mdm_image_place(o->sheet, o->image, i, o->columns);
            continue;
        }
        MDM_TRY(write_one(o, o->number ? o->number[i] : i));
        ++*o->written;
    }
    return MASKDM_OK;
}

static int begin(struct output *o, const maskdm_sampler *s, int64_t count, int bits)
{
    const struct mdm_geometry *g = o->geometry = &s->geometry;

    o->bits = bits;
    if (count < 0)
        return mdm_fail(MASKDM_EINVAL, "%lld images to write", (long long)count);
    MDM_TRY(mdm_pixels_layout(&o->pixels, g, 1, bits == 8 ? MASKDM_SAMPLE_U8 : MASKDM_SAMPLE_U16, 0, 0));
    o->byte = mdm_need((size_t)(g->height * g->width), (size_t)g->channels, "a picture");
    if (!o->byte)
        return MASKDM_ENOMEM;
    return mdm_image_create(&o->image, g->height, g->width, (int)g->channels);
}

static void end(struct output *o)
{
    mdm_image_free(&o->image);
    mdm_image_free(&o->sheet);
    mdm_free(o->byte);
}

int mdm_sampler_write_grid(maskdm_sampler *s, int64_t count, const int32_t *labels, int64_t columns, int bits,
                           struct mdm_writer **writer)
{
    struct output o = {.columns = columns};
    int status = begin(&o, s, count, bits);

    if (status == MASKDM_OK)
        status = mdm_image_sheet(&o.sheet, count, &o.columns, o.geometry->height, o.geometry->width,
                                 (int)o.geometry->channels);
    if (status == MASKDM_OK)
        status = mdm_sampler_each(s, count, NULL, labels, take_images, &o);
    if (status == MASKDM_OK)
        status = mdm_image_encode_png(o.sheet, writer, bits);
    mdm_writer_abandon(writer);
    end(&o);
    return status;
}

/* Images that are not consecutive bring their own seeds, and each its own label. */
static int write_numbered(maskdm_sampler *s, int64_t count, const int32_t *labels, struct output *o)
{
    uint64_t *seeds = mdm_need((size_t)count, sizeof *seeds, "seeds");
    int32_t *own = labels ? mdm_need((size_t)count, sizeof *own, "labels") : NULL;
    int status = seeds && (own || !labels) ? MASKDM_OK : MASKDM_ENOMEM;

    for (int64_t i = 0; status == MASKDM_OK && i < count; i++) {
        seeds[i] = s->seed + (uint64_t)o->number[i];
        if (own)
            own[i] = labels[o->number[i]];
    }
    if (status == MASKDM_OK)
        status = mdm_sampler_each(s, count, seeds, own, take_images, o);
    mdm_free(seeds);
    mdm_free(own);
    return status;
}

int mdm_sampler_write_images(maskdm_sampler *s, int64_t count, const int64_t *number, const int32_t *labels, int bits,
                             const char *folder, int64_t *written)
{
    struct output o = {.folder = folder, .number = number, .written = written};
    int status;

    *written = 0;
    status = begin(&o, s, count, bits);
    if (status == MASKDM_OK)
        status =
            number ? write_numbered(s, count, labels, &o) : mdm_sampler_each(s, count, NULL, labels, take_images, &o);
    end(&o);
    return status;
}
