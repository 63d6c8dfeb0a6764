/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The sheet of a survey: drawn, cut and changed as training does it, and hidden as its first step would.
 */
#include "run/survey.h"

#include "base/alloc.h"
#include "data/options.h"
#include "image/codec.h"
#include "image/sheet.h"
#include "mask/mask.h"
#include "os/file.h"

#include <string.h>

static const uint16_t hidden = 128 * 257; /* grey */

/* All that one sheet needs. */
struct showing {
    const struct mdm_survey_run_options *told;
    maskdm_data *data;
    maskdm_mask *mask; /* NULL: nothing is hidden */
    int64_t visible, rows, columns;
    int32_t *index;       /* [visible] */
    unsigned char *shown; /* [rows, columns] */
    float *x;             /* one image, -1 .. 1 */
    maskdm_image *image;
    struct mdm_sheet sheet;
};

static int make_mask(struct showing *s, const maskdm_options *options)
{
    const int64_t patch = s->told->patch_size, height = s->data->height, width = s->data->width;

    if (!s->told->masked)
        return MASKDM_OK;
    if (height % patch || width % patch)
        return mdm_fail(MASKDM_EINVAL, "%s %lld does not divide %s %lldx%lld",
                        mdm_options_said(options, "patch_size"), (long long)patch,
                        mdm_options_said(options, "image_size"), (long long)height, (long long)width);
    s->rows = height / patch;
    s->columns = width / patch;
    MDM_TRY(mdm_mask_create(&s->mask, options));
    s->visible = mdm_mask_visible(s->mask, s->rows, s->columns, 0);
    MDM_TRY((int)(s->visible < 0 ? s->visible : 0));
    if (mdm_mask_groups(s->mask) > 1 || s->visible == s->rows * s->columns)
        return mdm_fail(MASKDM_EINVAL, "%s: mask %s hides nothing for good; %s block, say, does",
                        mdm_options_said(options, "masked"), mdm_mask_name(s->mask),
                        mdm_options_said(options, "mask"));
    s->index = mdm_need((size_t)s->visible, sizeof *s->index, "a mask");
    s->shown = mdm_need((size_t)(s->rows * s->columns), 1, "a mask");
    return s->index && s->shown ? MASKDM_OK : MASKDM_ENOMEM;
}

static int prepare(struct showing *s, const maskdm_options *options)
{
    const maskdm_data *d = s->data;
    const struct mdm_sheet_how how = {.columns = s->told->columns, .bits = 8};

    MDM_TRY(make_mask(s, options));
    s->x = mdm_need((size_t)mdm_data_elements(d), sizeof *s->x, "an image");
    if (!s->x)
        return MASKDM_ENOMEM;
    MDM_TRY(mdm_image_create(&s->image, d->height, d->width, d->channels));
    s->image->bits = 8;
    return mdm_sheet_create(&s->sheet, s->told->count, &how, d->height, d->width, d->channels);
}

/* Grey, and opaque, over every patch that image i of the first step would be without. */
static int hide(struct showing *s, int64_t i)
{
    const int64_t patch = s->told->patch_size, width = s->data->width;
    const int channels = s->data->channels;

    if (!s->mask)
        return MASKDM_OK;
    MDM_TRY(mdm_mask_draw(s->mask, s->rows, s->columns, s->visible, (uint64_t)s->told->seed, i, 0, 1, s->index));
    memset(s->shown, 0, (size_t)(s->rows * s->columns));
    for (int64_t k = 0; k < s->visible; k++)
        s->shown[s->index[k]] = 1;
    for (int64_t p = 0; p < s->data->height * width; p++) {
        uint16_t *pixel = s->image->sample + p * channels;

        if (s->shown[p / width / patch * s->columns + p % width / patch])
            continue;
        for (int c = 0; c < channels; c++)
            pixel[c] = channels % 2 == 0 && c == channels - 1 ? UINT16_MAX : hidden;
    }
    return MASKDM_OK;
}

static int show(struct showing *s, int64_t i)
{
    MDM_TRY(mdm_data_batch_at(s->data, (uint64_t)s->told->seed, i, 1, &s->told->augment, s->x, NULL));
    for (int64_t k = 0; k < mdm_data_elements(s->data); k++)
        s->image->sample[k] = mdm_sample_round(((double)s->x[k] + 1) / 2 * 65535, 8);
    MDM_TRY(hide(s, i));
    mdm_sheet_put(&s->sheet, i, s->image, NULL);
    return MASKDM_OK;
}

static void end(struct showing *s)
{
    mdm_data_release(&s->data);
    mdm_mask_drop(&s->mask);
    mdm_free(s->index);
    mdm_free(s->shown);
    mdm_free(s->x);
    mdm_image_free(&s->image);
    mdm_sheet_free(&s->sheet);
}

/* Known broken files are out of the list, so that of the others only those that are shown are decoded. */
static int open_data(struct showing *s, const maskdm_options *options, struct mdm_scan *scan, int transparent,
                     maskdm_device *device, maskdm_control *control)
{
    const struct mdm_log quiet = {0};
    struct mdm_folder_options folder;

    mdm_options_read(options, &mdm_images_options, &folder);
    folder.image_size = s->told->image_size;
    folder.channels = s->told->channels ? s->told->channels : transparent ? 4 : 3;
    folder.loaders = 0;
    mdm_scan_settle(scan);
    MDM_TRY(mdm_data_folder(&s->data, device, s->told->data, scan, &folder, options));
    return mdm_data_read(s->data, 1, &quiet, control);
}

int mdm_survey_sheet(const maskdm_options *options, const struct mdm_survey_run_options *told, struct mdm_scan *scan,
                     int transparent, maskdm_device *device, maskdm_control *control)
{
    struct showing s = {.told = told};
    struct mdm_writer *writer;
    int status;

    MDM_TRY(mdm_writer_reserve(&writer, told->out));
    status = open_data(&s, options, scan, transparent, device, control);
    if (status >= 0)
        status = prepare(&s, options);
    for (int64_t i = 0; i < told->count && status >= 0; i++)
        status = show(&s, i);
    if (status >= 0)
        status = mdm_image_encode_png(s.sheet.image, &writer, 8);
    mdm_writer_abandon(&writer);
    end(&s);
    return status;
}
