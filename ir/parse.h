// Reads the text form of a graph (print.h), so that any stage can be tried alone: `rnnc opt graph.ir
// --passes=a,b`.
#pragma once
#include "ir/diagnostic.h"
#include "ir/graph.h"
#include "ir/source.h"

namespace rnnc {

/// The text is not a graph: `FILE:LINE:COL: error: ...`, with the line and a mark under it.
struct GraphParseError : UserError {
  using UserError::UserError;
};

/// The graph of the text. Every node is built by `Graph::add`, so what does not fit is refused, as is a
/// printed shape that is not the one its operands have. Throws GraphParseError.
///
///   file      = { line }
///   line      = [ node | root ] [ "#" comment ]
///   node      = "%" N "=" OP [ STRING ] [ NUMBER ] { "%" N } [ "{" attribute { "," attribute } "}" ]
///               ":" shape [ "~" N ] [ "@" N ]
///   attribute = "value" "=" NUMBER | "offset" "=" N | "dim" "=" N | "left" "^T" | "right" "^T"
///   shape     = ( "f32" | "i32" ) "[" rows "," N "]"
///   rows      = N | "B" | "T" N "." ( N [ ":" ( N | "*" ) ] | "*" | "t" )
///   root      = ( "output" | "assign" ) STRING "%" N
Graph parse_graph(const Source& source);

}  // namespace rnnc
