/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The U-Net's options, held against each other: as many blocks as resolutions, groups and heads that divide their
 * channels, and sides that halve as often as they must.
 */
#include "model/unet.h"

#include "base/error.h"

#include <string.h>

enum as_set { BY_CONV = MDM_UNET_CONV, BY_RESNET = MDM_UNET_RESNET, AS_SET };

struct kind {
    const char *name;
    int attends;
    enum as_set sampling;
};
static const struct kind down_kinds[] = {
    {"DownBlock2D", 0, BY_CONV}, {"AttnDownBlock2D", 1, AS_SET}, {"ResnetDownsampleBlock2D", 0, BY_RESNET}};
static const struct kind up_kinds[] = {
    {"UpBlock2D", 0, BY_CONV}, {"AttnUpBlock2D", 1, AS_SET}, {"ResnetUpsampleBlock2D", 0, BY_RESNET}};
enum { KINDS = 3 };

/* One way through the resolutions. */
struct way {
    const char *option, *types;
    const struct kind *kinds; /* KINDS of them */
    enum mdm_unet_sampling set;
    struct mdm_unet_block *block;
};

static int find_kind(const struct kind **out, const maskdm_options *o, const struct way *w, const char *name,
                     size_t n)
{
    for (int i = 0; i < KINDS; i++)
        if (strlen(w->kinds[i].name) == n && !memcmp(w->kinds[i].name, name, n)) {
            *out = &w->kinds[i];
            return MASKDM_OK;
        }
    return mdm_fail(MASKDM_EINVAL, "%s: \"%.*s\" is not built; there are %s, %s and %s",
                    mdm_options_said(o, w->option), (int)(n < 80 ? n : 80), name, w->kinds[0].name, w->kinds[1].name,
                    w->kinds[2].name);
}

/* "A,B,C", or "A" for all. */
static int read_types(const maskdm_options *o, const struct way *w, int levels)
{
    const struct kind *kind = NULL;
    const char *at = w->types;
    int count = 0;

    for (;; count++) {
        const size_t n = strcspn(at, ",");

        MDM_TRY(find_kind(&kind, o, w, at, n));
        if (count < levels) {
            w->block[count].attends = kind->attends;
            w->block[count].sampling = kind->sampling == AS_SET ? w->set : (enum mdm_unet_sampling)kind->sampling;
        }
        if (!at[n])
            break;
        at += n + 1;
    }
    count++;
    for (int i = 1; count == 1 && i < levels; i++) {
        w->block[i].attends = w->block[0].attends;
        w->block[i].sampling = w->block[0].sampling;
    }
    if (count != 1 && count != levels)
        return mdm_fail(MASKDM_EINVAL, "%s names %d blocks for the %d numbers of %s", mdm_options_said(o, w->option),
                        count, levels, mdm_options_said(o, "block_out_channels"));
    return MASKDM_OK;
}

static int check_divides(const maskdm_options *o, const char *name, int64_t part, int64_t channels)
{
    if (part < 1 || channels % part)
        return mdm_fail(MASKDM_EINVAL, "%s %lld does not divide %lld of %s", mdm_options_said(o, name),
                        (long long)part, (long long)channels, mdm_options_said(o, "block_out_channels"));
    return MASKDM_OK;
}

static int check_heads(const struct mdm_unet *u, const maskdm_options *o, int64_t channels)
{
    return u->set.attention_head_dim ? check_divides(o, "attention_head_dim", u->set.attention_head_dim, channels)
                                     : MASKDM_OK;
}

static int set_blocks(struct mdm_unet *u, const maskdm_options *o)
{
    const struct mdm_unet_options *s = &u->set;
    const struct way down = {"down_block_types", s->down_block_types, down_kinds, s->downsample_type, u->down};
    const struct way up = {"up_block_types", s->up_block_types, up_kinds, s->upsample_type, u->up};

    u->levels = s->block_out_channels.count;
    if (u->levels < 1 || u->levels > MDM_UNET_LEVELS)
        return mdm_fail(MASKDM_EINVAL, "%s has %d numbers, not 1 to %d", mdm_options_said(o, "block_out_channels"),
                        u->levels, MDM_UNET_LEVELS);
    for (int i = 0; i < u->levels; i++)
        u->down[i].channels = u->up[u->levels - 1 - i].channels = s->block_out_channels.value[i];
    MDM_TRY(read_types(o, &down, u->levels));
    MDM_TRY(read_types(o, &up, u->levels));
    for (int i = 0; i < u->levels; i++) {
        MDM_TRY(check_divides(o, "norm_num_groups", s->norm_num_groups, u->down[i].channels));
        if (u->down[i].attends || u->up[u->levels - 1 - i].attends)
            MDM_TRY(check_heads(u, o, u->down[i].channels));
    }
    return MASKDM_OK;
}

static int set_middle(struct mdm_unet *u, const maskdm_options *o)
{
    const struct mdm_unet_options *s = &u->set;
    const int64_t channels = u->down[u->levels - 1].channels;

    u->middle_groups = s->attn_norm_num_groups;
    if (!u->middle_groups && s->resnet_time_scale_shift == MDM_UNET_TIME_ADDED)
        u->middle_groups = s->norm_num_groups;
    if (!s->add_attention)
        return MASKDM_OK;
    if (u->middle_groups)
        MDM_TRY(check_divides(o, "attn_norm_num_groups", u->middle_groups, channels));
    return check_heads(u, o, channels);
}

static int set_time(struct mdm_unet *u, const maskdm_options *o)
{
    const int64_t width = u->down[0].channels;

    u->time_dim = u->set.time_embedding_dim ? u->set.time_embedding_dim : 4 * width;
    if (width % 2)
        return mdm_fail(MASKDM_EINVAL, "%s begins with %lld, but half of it is cosines of the time and half sines",
                        mdm_options_said(o, "block_out_channels"), (long long)width);
    if (width / 2 <= u->set.freq_shift)
        return mdm_fail(MASKDM_EINVAL, "%s %lld leaves nothing of the %lld frequencies that %s has",
                        mdm_options_said(o, "freq_shift"), (long long)u->set.freq_shift, (long long)(width / 2),
                        mdm_options_said(o, "block_out_channels"));
    return MASKDM_OK;
}

static int check_sides(const struct mdm_unet *u, const maskdm_options *o)
{
    const int64_t factor = (int64_t)1 << (u->levels - 1);

    if (u->geo.height % factor || u->geo.width % factor)
        return mdm_fail(MASKDM_EINVAL, "%s %lldx%lld is no multiple of %lld: %d numbers of %s halve it %d times",
                        mdm_options_said(o, "image_size"), (long long)u->geo.height, (long long)u->geo.width,
                        (long long)factor, u->levels, mdm_options_said(o, "block_out_channels"), u->levels - 1);
    return MASKDM_OK;
}

int mdm_unet_set(struct mdm_unet *u, const maskdm_options *o)
{
    struct mdm_unet_options *s = &u->set;

    *u = (struct mdm_unet){0};
    mdm_options_read(o, &mdm_unet_options, s);
    MDM_TRY(mdm_geometry_set(&u->geo, o, &s->image_size, s->patch_size, s->channels, s->classes));
    if (s->learn_sigma)
        u->geo.outputs *= 2;
    MDM_TRY(set_blocks(u, o));
    MDM_TRY(set_middle(u, o));
    MDM_TRY(set_time(u, o));
    return check_sides(u, o);
}
