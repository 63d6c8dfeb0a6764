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

int mdm_sampler_write_grid(maskdm_sampler *s, int64_t count, struct mdm_seeds seeds, const int32_t *labels,
                           int64_t columns, int bits, struct mdm_writer **writer)
{
    struct output o = {.columns = columns};
    int status = begin(&o, s, count, bits);

    if (status == MASKDM_OK)
        status = mdm_image_sheet(&o.sheet, count, &o.columns, o.geometry->height, o.geometry->width,
                                 (int)o.geometry->channels);
    if (status == MASKDM_OK)
        status = mdm_sampler_each(s, count, seeds, labels, take_images, &o);
    if (status == MASKDM_OK)
        status = mdm_image_encode_png(o.sheet, writer, bits);
    mdm_writer_abandon(writer);
    end(&o);
    return status;
}

/* What belongs to images that are not consecutive, each at its place. */
struct picked {
    uint64_t *from, *to;
    double *way;
    int32_t *labels;
};

static int pick(struct picked *p, const maskdm_sampler *s, int64_t count, const int64_t *number,
                struct mdm_seeds seeds, const int32_t *labels)
{
    p->from = mdm_need((size_t)count, sizeof *p->from, "seeds");
    p->to = seeds.to ? mdm_need((size_t)count, sizeof *p->to, "seeds") : NULL;
    p->way = seeds.to ? mdm_need((size_t)count, sizeof *p->way, "seeds") : NULL;
    p->labels = labels ? mdm_need((size_t)count, sizeof *p->labels, "labels") : NULL;
    if (!p->from || (seeds.to && (!p->to || !p->way)) || (labels && !p->labels))
        return MASKDM_ENOMEM;
    for (int64_t i = 0; i < count; i++) {
        p->from[i] = seeds.from ? seeds.from[number[i]] : s->seed + (uint64_t)number[i];
        if (seeds.to) {
            p->to[i] = seeds.to[number[i]];
            p->way[i] = seeds.way[number[i]];
        }
        if (labels)
            p->labels[i] = labels[number[i]];
    }
    return MASKDM_OK;
}

static int write_numbered(maskdm_sampler *s, int64_t count, struct mdm_seeds seeds, const int32_t *labels,
                          struct output *o)
{
    struct picked p = {0};
    int status = pick(&p, s, count, o->number, seeds, labels);

    if (status == MASKDM_OK)
        status = mdm_sampler_each(s, count, (struct mdm_seeds){p.from, p.to, p.way}, p.labels, take_images, o);
    mdm_free(p.from);
    mdm_free(p.to);
    mdm_free(p.way);
    mdm_free(p.labels);
    return status;
}

int mdm_sampler_write_images(maskdm_sampler *s, int64_t count, const int64_t *number, struct mdm_seeds seeds,
                             const int32_t *labels, int bits, const char *folder, int64_t *written)
{
    struct output o = {.folder = folder, .number = number, .written = written};
    int status;

    *written = 0;
    status = begin(&o, s, count, bits);
    if (status == MASKDM_OK)
        status = number ? write_numbered(s, count, seeds, labels, &o)
                        : mdm_sampler_each(s, count, seeds, labels, take_images, &o);
    end(&o);
    return status;
}
