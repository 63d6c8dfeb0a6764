/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Options of a plot.
 */
#include "run/options.h"

#include "base/error.h"

static const struct mdm_option plot_rows[] = {
    {MDM_OPTION(mdm_plot_run_options, out), .is_path = 1, .required = 1,
     .alias = "output|output_path|output_file|out_file|outfile|to|save|save_path|file|png|svg",
     .help = "file to write, as its name ends: .svg, .png, or .csv for all numbers"},
    {MDM_CHOICE(mdm_plot_run_options, format), .standard = "auto", .choices = "auto|svg|png|csv",
     .alias = "form|type|kind", .help = "what to write; auto: by out's end"},
    {MDM_CHOICE(mdm_plot_run_options, x), .standard = "steps", .choices = "steps|hours|images|epochs|tokens|flops",
     .alias = "over|against|axis|xaxis|x_axis",
     .help = "what the axis counts: hours are of the clock, tokens visible patches, flops arithmetic"},
    {MDM_CHOICE(mdm_plot_run_options, y), .standard = "auto",
     .choices = "auto|loss|held_out_loss|lr|grad_norm|speed|memory", .alias = "what|metric|value|key|yaxis|y_axis",
     .help = "what is drawn; auto: the loss and, in a panel of its own where a run has it, the held-out loss"},
    {MDM_CHOICE(mdm_plot_run_options, scale), .standard = "auto", .choices = "auto|linear|log",
     .alias = "log|log_y|yscale|y_scale",
     .help = "of what is drawn; auto: log where it spans more than a factor of ten"},
    {MDM_OPTION(mdm_plot_run_options, width), .standard = "1000", .min = 320, .max = 16384, .unit = "pixels",
     .help = "of the picture"},
    {MDM_OPTION(mdm_plot_run_options, height), .standard = "640", .min = 240, .max = 16384, .unit = "pixels",
     .help = "of the picture"},
};
const struct mdm_option_table mdm_plot_run_options = {
    "run", "", "the plot", plot_rows, MDM_LENGTH(plot_rows), sizeof(struct mdm_plot_run_options)};

static const struct mdm_option_table *const plot_tables[] = {&mdm_plot_run_options};
const struct mdm_option_kind mdm_plot_kind = {"plot", "a picture of what the logs of runs say", plot_tables,
                                              MDM_LENGTH(plot_tables), NULL};
