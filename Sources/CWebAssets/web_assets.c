#include "web_assets.h"

// A file belongs here twice: its bytes, and its line in the list below (sorted by path).
// `AssetCatalogTests` fails for a file under Sources/Web/Assets that is not listed.
// #embed is C23; the toolchain's clang has it in every mode.
#pragma clang diagnostic ignored "-Wc23-extensions"

#define ASSET(path, name) { path, name, sizeof(name) }

static const unsigned char app_css[] = {
#embed "../Web/Assets/app.css"
};
static const unsigned char chart_chart_js[] = {
#embed "../Web/Assets/chart/chart.js"
};
static const unsigned char chart_heatmap_js[] = {
#embed "../Web/Assets/chart/heatmap.js"
};
static const unsigned char chart_lines_js[] = {
#embed "../Web/Assets/chart/lines.js"
};
static const unsigned char chart_pointer_js[] = {
#embed "../Web/Assets/chart/pointer.js"
};
static const unsigned char chart_scale_js[] = {
#embed "../Web/Assets/chart/scale.js"
};
static const unsigned char common_api_js[] = {
#embed "../Web/Assets/common/api.js"
};
static const unsigned char common_copy_js[] = {
#embed "../Web/Assets/common/copy.js"
};
static const unsigned char common_dialog_js[] = {
#embed "../Web/Assets/common/dialog.js"
};
static const unsigned char common_dom_js[] = {
#embed "../Web/Assets/common/dom.js"
};
static const unsigned char common_format_js[] = {
#embed "../Web/Assets/common/format.js"
};
static const unsigned char common_tables_js[] = {
#embed "../Web/Assets/common/tables.js"
};
static const unsigned char favicon_svg[] = {
#embed "../Web/Assets/favicon.svg"
};
static const unsigned char gateway_group_js[] = {
#embed "../Web/Assets/gateway/group.js"
};
static const unsigned char gateway_groups_js[] = {
#embed "../Web/Assets/gateway/groups.js"
};
static const unsigned char gateway_status_js[] = {
#embed "../Web/Assets/gateway/status.js"
};
static const unsigned char query_editor_js[] = {
#embed "../Web/Assets/query/editor.js"
};
static const unsigned char query_explain_js[] = {
#embed "../Web/Assets/query/explain.js"
};
static const unsigned char query_functions_js[] = {
#embed "../Web/Assets/query/functions.js"
};
static const unsigned char query_language_js[] = {
#embed "../Web/Assets/query/language.js"
};
static const unsigned char query_main_js[] = {
#embed "../Web/Assets/query/main.js"
};
static const unsigned char query_panel_js[] = {
#embed "../Web/Assets/query/panel.js"
};
static const unsigned char query_results_js[] = {
#embed "../Web/Assets/query/results.js"
};
static const unsigned char query_state_js[] = {
#embed "../Web/Assets/query/state.js"
};

static const web_asset assets[] = {
    ASSET("app.css", app_css),
    ASSET("chart/chart.js", chart_chart_js),
    ASSET("chart/heatmap.js", chart_heatmap_js),
    ASSET("chart/lines.js", chart_lines_js),
    ASSET("chart/pointer.js", chart_pointer_js),
    ASSET("chart/scale.js", chart_scale_js),
    ASSET("common/api.js", common_api_js),
    ASSET("common/copy.js", common_copy_js),
    ASSET("common/dialog.js", common_dialog_js),
    ASSET("common/dom.js", common_dom_js),
    ASSET("common/format.js", common_format_js),
    ASSET("common/tables.js", common_tables_js),
    ASSET("favicon.svg", favicon_svg),
    ASSET("gateway/group.js", gateway_group_js),
    ASSET("gateway/groups.js", gateway_groups_js),
    ASSET("gateway/status.js", gateway_status_js),
    ASSET("query/editor.js", query_editor_js),
    ASSET("query/explain.js", query_explain_js),
    ASSET("query/functions.js", query_functions_js),
    ASSET("query/language.js", query_language_js),
    ASSET("query/main.js", query_main_js),
    ASSET("query/panel.js", query_panel_js),
    ASSET("query/results.js", query_results_js),
    ASSET("query/state.js", query_state_js),
};

const web_asset *web_assets(size_t *count) {
    *count = sizeof(assets) / sizeof(assets[0]);
    return assets;
}
