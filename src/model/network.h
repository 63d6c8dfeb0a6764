/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What a network is to the rest: a table of options, a check of them, and a recorder. Adding one is a file with
 * one struct mdm_network and a row in networks[] (network.c); its name and its options then stand wherever a network
 * is chosen.
 */
#ifndef MASKDM_MODEL_NETWORK_H
#define MASKDM_MODEL_NETWORK_H

#include "graph/graph.h"
#include "mask/kinds.h"
#include "model/space.h"
#include "option/option.h"

/* Patches of one kind. */
struct mdm_patches_of {
    int64_t rows, columns, patches; /* of the grid; patches = rows * columns */
    int64_t patch;                  /* side, in places of what diffusion works on */
    int64_t channel, channels;      /* of what is there, the first and how many */
};
enum { MDM_MOST_KINDS = 2 };

/* Facts that every network has, read from its options and checked. */
struct mdm_geometry {
    int64_t height, width, channels, patch; /* pixels */
    int64_t rows, columns;                  /* of the patch grid, that of the first kind */
    int64_t patches;                        /* of all kinds; those of the second are counted behind the first */
    int64_t classes;                        /* 0: unconditional */
    int64_t outputs; /* channels of the prediction: the image's, and behind them what else the network says */
    const struct mdm_space *space; /* what diffusion works on; NULL: pixels */
    int kinds;
    struct mdm_patches_of kind[MDM_MOST_KINDS];
};

enum { MDM_MAX_DEPTH = 512 };

/* From options of these names, which error lines call as `o` does; each is checked. */
int mdm_geometry_set(struct mdm_geometry *g, const maskdm_options *o, const struct mdm_int_list *image_size,
                     int64_t patch_size, int64_t channels, int64_t classes);
/* For wavelets, of which patch_size counts places: patches of the approximation, and behind them patches of details,
 * scale times as wide. */
int mdm_geometry_set_wavelets(struct mdm_geometry *g, const maskdm_options *o, const struct mdm_int_list *image_size,
                              int64_t patch_size, int64_t scale, int64_t channels, int64_t classes);
/* The same for those of a transformer's blocks. */
int mdm_geometry_check_blocks(const maskdm_options *o, int64_t dim, int64_t depth, int64_t heads, double mlp_ratio);

/* For how much a program is recorded. */
enum { MDM_MOST_ROUTES = 4 };
struct mdm_extent {
    int64_t batch;   /* B images */
    int64_t visible; /* K patches of each; where a program is asked for, 0 stands for all of them */
    int64_t second;  /* of those, of the second kind; 0, where there is one: as large a share as of all patches */
    /* Of each route R of those go through its blocks, the others pass them by; 0: none does. */
    int64_t routed[MDM_MOST_ROUTES];
    int path_drop; /* an input tells of which images nothing comes from the deep blocks (SPRINT) */
    int shallow;   /* nothing does of any image, and these blocks are not run */
};
/* Numbers that tell of an extent's images who takes part: for every route in turn B x R, an image's rising. */
int64_t mdm_extent_kept(const struct mdm_extent *e);

/* Where in a program's arrays the patches of a kind are. */
struct mdm_part {
    const struct mdm_patches_of *of;
    int64_t height, width;    /* places of what diffusion works on */
    int64_t outputs;          /* channels of the prediction */
    int64_t visible, place;   /* of an image's indices, how many and the first */
    int64_t values, first;    /* of an image's prediction, how many and the first */
    struct mdm_beside beside; /* of the whole arrays */
};
struct mdm_part mdm_geometry_part(const struct mdm_geometry *g, const struct mdm_extent *e, int kind);
/* MASKDM_EINVAL where there are not so many patches of every kind. */
int mdm_geometry_check_extent(const struct mdm_geometry *g, const struct mdm_extent *e);
/* The same of images whose rising indices show other numbers of them. */
int mdm_geometry_check_index(const struct mdm_geometry *g, const struct mdm_extent *e, const int32_t *index);
/* Of an image's visible patches, those of the second kind; 0 where there is one kind, or no index. */
int64_t mdm_geometry_count(const struct mdm_geometry *g, int64_t visible, const int32_t *index);
/* Values of an image's prediction, of all kinds. */
int64_t mdm_geometry_predicted(const struct mdm_geometry *g, const struct mdm_extent *e);
/* The grids of its patches, for a mask. */
struct mdm_grids mdm_geometry_grids(const struct mdm_geometry *g);
/* The places of what diffusion works on, their channels, and how large a share of an image's error in pixels the mean
 * error of a kind is. */
int64_t mdm_geometry_places(const struct mdm_geometry *g);
int64_t mdm_geometry_depth(const struct mdm_geometry *g);
double mdm_geometry_share(const struct mdm_geometry *g, int kind);

/* Places where a recorded program takes its inputs and leaves its output. MDM_NONE: the network has no such place;
 * what would go there is not looked at. */
struct mdm_ports {
    mdm_val image;  /* [B,H,W,C] x_t; float as the output is, whatever the program's type */
    mdm_val seen;   /* the same in that type */
    mdm_val index;  /* [B,K] I32 visible patches, rising */
    mdm_val keep[MDM_MOST_ROUTES]; /* [B,R] I32 which of the K go through a route's blocks, rising; where it has R */
    mdm_val dropped; /* [B] I32, not 0 where nothing comes from the deep blocks; where an extent says so */
    mdm_val time;    /* [B] F64 */
    mdm_val label;  /* [B] I32, -1 null */
    mdm_val output; /* [B,K,p*p*outputs], a patch's values in (row, column, channel) order; or, of patches of two
                       kinds, those of the one behind those of the other, [B,n] */
};
#define MDM_NO_PORTS                                                                                   \
    ((struct mdm_ports){MDM_NONE, MDM_NONE, MDM_NONE, {MDM_NONE, MDM_NONE, MDM_NONE, MDM_NONE}, MDM_NONE, \
                        MDM_NONE, MDM_NONE, MDM_NONE})

/* ports.c: record the image's port; make y the output. */
void mdm_ports_image(struct mdm_graph *g, struct mdm_ports *ports, struct mdm_shape shape);
void mdm_ports_output(struct mdm_graph *g, struct mdm_ports *ports, mdm_val y);

struct mdm_tensorfile;
struct mdm_routing;

/* What the shapes of a checkpoint show beside options. */
struct mdm_shown { int64_t patches, dim, heads; }; /* heads 0: they leave no trace */

/* What hidden patches are to a network: left out, so that they cost nothing, or pixels of zeros. */
enum mdm_mask_meaning { MDM_MASK_DROPS, MDM_MASK_ZEROES };

/* An input channel that says which pixels are hidden. It is 0 on whole images, where a network without it is the
 * same. */
struct mdm_mask_channel {
    const char *option; /* true while it is there */
    const char *tensor; /* the weight [O,I,..] whose last of I channels it is */
};

struct mdm_network {
    const char *name;
    const struct mdm_option_kind *kind;
    int (*geometry)(struct mdm_geometry *out, const maskdm_options *options);    /* checks every option */
    /* Record for an extent, and leave in *ports, which has none yet, those that the network has. */
    void (*record)(struct mdm_graph *g, struct mdm_ports *ports, const maskdm_options *options,
                   struct mdm_extent extent);
    /* Which of its blocks tokens pass by when it is trained. NULL: it has none to pass by. */
    int (*routing)(struct mdm_routing *out, const maskdm_options *options);
    enum mdm_mask_meaning masked;
    const struct mdm_mask_channel *mask_channel; /* NULL: it can have none */
    const char *anchor; /* a tensor that every checkpoint of the authors has, and none of a network above it */
    const char *other_anchor; /* the same of another program that has this network; NULL: there is none */
    const char *average; /* where theirs have several averages, the part of the path to the one they sample with */
    /* Set those of its options that the shapes of the weights PREFIX + NAME show: all but heads, which are told
     * apart, and but image_size where the patches make no square. NULL: its checkpoints are not read. */
    int (*read_shapes)(maskdm_options *o, struct mdm_shown *shown, const struct mdm_tensorfile *s,
                       const char *prefix);
    /* Set those of a scheduler's options that its authors' program trains with, by what it kept of its arguments
     * beside the weights where it did. NULL: they are the library's defaults, or stand in a schedule's betas. */
    int (*read_scheduler)(maskdm_options *o, const struct mdm_tensorfile *s);
    /* Set how that program draws, of a sampler's options. NULL: as the library does. */
    int (*read_sampler)(maskdm_options *o, const maskdm_options *network);
};

extern const struct mdm_network mdm_uvit, mdm_sit, mdm_dit, mdm_jit, mdm_unet;

/* ---- uvit_shapes.c, sit_shapes.c, dit_shapes.c, jit_shapes.c ---- */
int mdm_uvit_read_shapes(maskdm_options *o, struct mdm_shown *shown, const struct mdm_tensorfile *s,
                         const char *prefix);
int mdm_sit_read_shapes(maskdm_options *o, struct mdm_shown *shown, const struct mdm_tensorfile *s,
                        const char *prefix);
int mdm_sit_read_scheduler(maskdm_options *o, const struct mdm_tensorfile *s);
int mdm_dit_read_shapes(maskdm_options *o, struct mdm_shown *shown, const struct mdm_tensorfile *s,
                        const char *prefix);
int mdm_dit_read_scheduler(maskdm_options *o, const struct mdm_tensorfile *s);
int mdm_dit_read_sampler(maskdm_options *o, const maskdm_options *network);
int mdm_jit_read_shapes(maskdm_options *o, struct mdm_shown *shown, const struct mdm_tensorfile *s,
                        const char *prefix);
int mdm_jit_read_scheduler(maskdm_options *o, const struct mdm_tensorfile *s);
int mdm_jit_read_sampler(maskdm_options *o, const maskdm_options *network);

const struct mdm_network *mdm_network_at(int i);              /* NULL: none */
const struct mdm_network *mdm_network_find(const char *name); /* NULL: none */
int mdm_network_routing(struct mdm_routing *out, const struct mdm_network *network, const maskdm_options *options);
/* Complete an extent by what of it is routed when a step trains. */
int mdm_network_train(const struct mdm_network *network, const maskdm_options *options, struct mdm_extent *e);
/* Whether it has deep blocks that can be left out, which `said` needs. */
int mdm_network_check_deep(const struct mdm_network *network, const maskdm_options *options, const char *said);
int mdm_network_fail(const char *name);                       /* there is none of that name, but these */

#endif
