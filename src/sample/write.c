/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Samples as files: one grid, or single images in a folder. All memory that depends on sizes is taken before the
 * first step, since sampling takes long. Single images are written group by group, so that their number knows no
 * bound.
 */
#include "base/format.h"
#include "sample/sampler.h"

#include "base/alloc.h"
#include "base/error.h"
#include "image/codec.h"
#include "os/file.h"
#include "sample/nearest.h"
#include "sample/pixels.h"

#include <string.h>

enum { LABEL_LINE = 4 * 1024 + 1 /* bytes of a label as a line that can be shown */ };

/* Where finished images go: into a grid's sheet, or, where there is none, to the disk at once. */
struct output {
    const struct mdm_writing *how;
    const struct mdm_geometry *geometry;
    struct mdm_naming naming;
    struct mdm_pixels pixels;
    unsigned char *byte; /* samples of one image, for 8 bits: rounded once, as maskdm_sampler_run() does */
    maskdm_image *image; /* the one at hand */
    struct mdm_sheet sheet;
    const char *folder;    /* NULL: they go into the sheet */
    const int64_t *number; /* of each image; NULL: as they come */
    int64_t *written;
    struct mdm_png_text *text; /* what a file says: how->text, then seed, then label, up to a NULL key; or NULL */
    int texts;                 /* of how->text */
    char seed[48], room[24], label[LABEL_LINE];
};

static void fill_image(struct output *o, const float *x)
{
    const struct mdm_geometry *g = o->geometry;

    if (o->how->sheet.bits == 16) {
        mdm_pixels_write(&o->pixels, o->image->sample, 0, 1, x);
        return;
    }
    mdm_pixels_write(&o->pixels, o->byte, 0, 1, x);
    for (int64_t i = 0; i < g->height * g->width * g->channels; i++)
        o->image->sample[i] = (uint16_t)(o->byte[i] * 257);
}

/* With the seeds of images first .. last, and the label of the one that it is. */
static void say(struct output *o, maskdm_image *image, int64_t first, int64_t last)
{
    const unsigned long long from = o->naming.first + (uint64_t)first, to = o->naming.first + (uint64_t)last;
    struct mdm_png_text *more = o->text ? o->text + o->texts : NULL;
    const char *label = first == last ? mdm_naming_label(o->room, &o->naming, first) : NULL;

    if (!more)
        return;
    image->text = o->text;
    mdm_format(o->seed, sizeof o->seed, from == to ? "%llu" : "%llu-%llu", from, to);
    if (!o->naming.between)
        *more++ = (struct mdm_png_text){"maskdm.seed", o->seed};
    if (label) {
        mdm_one_line(o->label, sizeof o->label, label);
        *more++ = (struct mdm_png_text){"maskdm.label", o->label};
    }
    *more = (struct mdm_png_text){NULL, NULL};
}

static int write_one(struct output *o, int64_t number)
{
    char name[MDM_SAMPLING_NAME], *path;
    int status;

    mdm_naming_file(name, &o->naming, number);
    say(o, o->image, number, number);
    path = mdm_path_join(o->folder, name);
    if (!path)
        return MASKDM_ENOMEM;
    status = mdm_image_write_png(o->image, path, o->how->sheet.bits);
    mdm_free(path);
    return status;
}

static void place(struct output *o, int64_t i)
{
    struct mdm_nearest *nearest = o->how->nearest;
    char caption[MDM_SAMPLING_NAME];

    mdm_naming_caption(caption, &o->naming, i);
    mdm_sheet_put(&o->sheet, nearest ? 2 * i : i, o->image, caption);
    if (nearest)
        mdm_nearest_keep(nearest, i, o->image);
}

static int take_images(void *user, int64_t first, int64_t batch, const float *x)
{
    struct output *o = user;
    const int64_t n = o->geometry->height * o->geometry->width * o->geometry->channels;

    for (int64_t i = first; i < first + batch; i++, x += n) {
        fill_image(o, x);
        if (!o->folder) {
            place(o, i);
            continue;
        }
        MDM_TRY(write_one(o, o->number ? o->number[i] : i));
        ++*o->written;
    }
    return MASKDM_OK;
}

static int begin_text(struct output *o)
{
    if (!o->how->text)
        return MASKDM_OK;
    while (o->how->text[o->texts].key)
        o->texts++;
    o->text = mdm_need((size_t)o->texts + 3, sizeof *o->text, "what pictures say");
    if (!o->text)
        return MASKDM_ENOMEM;
    memcpy(o->text, o->how->text, (size_t)o->texts * sizeof *o->text);
    return MASKDM_OK;
}

static int begin(struct output *o, const maskdm_sampler *s, int64_t count)
{
    const struct mdm_geometry *g = o->geometry = &s->geometry;
    const int bits = o->how->sheet.bits;

    MDM_TRY(begin_text(o));
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
    mdm_sheet_free(&o->sheet);
    mdm_free(o->text);
    mdm_free(o->byte);
}

static int make_sheet(struct output *o, int64_t count)
{
    const struct mdm_geometry *g = o->geometry;
    struct mdm_sheet_how how = o->how->sheet;

    if (o->how->nearest) { /* pairs stay together */
        how.columns = how.columns ? 2 * how.columns : mdm_grid_columns(2 * count);
        how.columns += how.columns % 2;
        count *= 2;
    }
    return mdm_sheet_create(&o->sheet, count, &how, g->height, g->width, (int)g->channels);
}

static int place_nearest(struct output *o, int64_t count)
{
    struct mdm_nearest *nearest = o->how->nearest;
    char words[MDM_SAMPLING_NAME];

    if (!nearest)
        return MASKDM_OK;
    MDM_TRY(mdm_nearest_find(nearest, &o->naming));
    for (int64_t i = 0; i < count; i++) {
        const maskdm_image *beside = mdm_nearest_image(nearest, i, words);

        mdm_sheet_put(&o->sheet, 2 * i + 1, beside, words);
    }
    return MASKDM_OK;
}

int mdm_sampler_write_grid(maskdm_sampler *s, int64_t count, struct mdm_seeds seeds, const int32_t *labels,
                           const struct mdm_writing *how, struct mdm_writer **writer)
{
    struct output o = {.how = how, .naming = mdm_sampler_naming(s, seeds, labels)};
    int status = begin(&o, s, count);

    if (status == MASKDM_OK)
        status = make_sheet(&o, count);
    if (status == MASKDM_OK)
        status = mdm_sampler_each(s, count, seeds, labels, take_images, &o);
    if (status == MASKDM_OK)
        status = place_nearest(&o, count);
    if (status == MASKDM_OK) {
        say(&o, o.sheet.image, 0, count - 1);
        status = mdm_image_encode_png(o.sheet.image, writer, how->sheet.bits);
    }
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
                             const int32_t *labels, const struct mdm_writing *how, const char *folder,
                             int64_t *written)
{
    struct output o = {.how = how,
                       .naming = mdm_sampler_naming(s, seeds, labels),
                       .folder = folder,
                       .number = number,
                       .written = written};
    int status;

    *written = 0;
    status = begin(&o, s, count);
    if (status == MASKDM_OK)
        status = number ? write_numbered(s, count, seeds, labels, &o)
                        : mdm_sampler_each(s, count, seeds, labels, take_images, &o);
    end(&o);
    return status;
}
