// See cells.h. Who proposed each stands beside it.
#include "tests/unit/driver/cells.h"

#include <map>

namespace rnnc::test {

const std::string& cell_text(const std::string& name) {
  static const std::map<std::string, std::string> cells = {
      {"peephole", R"(
cell peephole(x: [E]; h: [H], c: [H]) {  # Gers and Schmidhuber 2000
  param Wi, Wf, Wg, Wo: [E, H] ~ glorot
  param Ui, Uf, Ug, Uo: [H, H] ~ orthogonal
  param pi, pf, po: [H] ~ normal(0.1)
  param bi, bg, bo: [H] = 0
  param bf: [H] = 1

  i  = sigmoid(x @ Wi + h @ Ui + pi * c + bi)
  f  = sigmoid(x @ Wf + h @ Uf + pf * c + bf)
  g  = tanh(x @ Wg + h @ Ug + bg)
  c' = f * c + i * g
  o  = sigmoid(x @ Wo + h @ Uo + po * c' + bo)
  h' = o * tanh(c')
}
)"},
      {"ln_lstm", R"(
cell ln_lstm(x: [E]; h: [H], c: [H]) {  # Ba, Kiros and Hinton 2016
  param Wi, Wf, Wg, Wo: [E, H] ~ glorot
  param Ui, Uf, Ug, Uo: [H, H] ~ orthogonal

  i  = sigmoid(layer_norm(x @ Wi) + layer_norm(h @ Ui))
  f  = sigmoid(layer_norm(x @ Wf) + layer_norm(h @ Uf) + 1)
  g  = tanh(layer_norm(x @ Wg) + layer_norm(h @ Ug))
  o  = sigmoid(layer_norm(x @ Wo) + layer_norm(h @ Uo))
  c' = f * c + i * g
  h' = o * tanh(layer_norm(c'))
}
)"},
      {"cifg", R"(
cell cifg(x: [E]; h: [H], c: [H]) {
  param Wf, Wg, Wo: [E, H] ~ glorot
  param Uf, Ug, Uo: [H, H] ~ orthogonal
  param bg, bo: [H] = 0
  param bf: [H] = 1

  f  = sigmoid(x @ Wf + h @ Uf + bf)
  o  = sigmoid(x @ Wo + h @ Uo + bo)
  c' = f * c + (1 - f) * tanh(x @ Wg + h @ Ug + bg)
  h' = o * tanh(c')
}
)"},
      {"projected", R"(
cell projected(x: [E]; h: [P], c: [H]) {  # a smaller h: Sak, Senior, Beaufays 2014
  param Wi, Wf, Wg, Wo: [E, H] ~ glorot
  param Ui, Uf, Ug, Uo: [P, H] ~ glorot
  param bi, bg, bo: [H] = 0
  param bf: [H] = 1
  param R: [H, P] ~ glorot

  i  = sigmoid(x @ Wi + h @ Ui + bi)
  f  = sigmoid(x @ Wf + h @ Uf + bf)
  g  = tanh(x @ Wg + h @ Ug + bg)
  o  = sigmoid(x @ Wo + h @ Uo + bo)
  c' = f * c + i * g
  h' = (o * tanh(c')) @ R
}
)"},
      {"slstm", R"(
cell slstm(x: [E]; h: [H], c: [H], n: [H], m: [H]) {  # Beck et al. 2024: exponential gates
  param Wi, Wf, Wz, Wo: [E, H] ~ glorot
  param Ui, Uf, Uz, Uo: [H, H] ~ orthogonal
  param bi, bz, bo: [H] = 0
  param bf: [H] = 3

  a  = x @ Wi + h @ Ui + bi
  l  = -softplus(-(x @ Wf + h @ Uf + bf))
  z  = tanh(x @ Wz + h @ Uz + bz)
  o  = sigmoid(x @ Wo + h @ Uo + bo)
  m' = max(l + m, a)
  f  = exp(l + m - m')
  i  = exp(a - m')
  c' = f * c + i * z
  n' = f * n + i
  h' = o * c' / max(n', 1e-6)
}
)"},
      {"mgu", R"(
cell mgu(x: [E]; h: [H]) {  # one gate: Zhou et al. 2016
  param Wf, Wn: [E, H] ~ glorot
  param Uf, Un: [H, H] ~ orthogonal
  param bf, bn: [H] = 0

  f  = sigmoid(x @ Wf + h @ Uf + bf)
  h' = (1 - f) * h + f * tanh(x @ Wn + (f * h) @ Un + bn)
}
)"},
      {"ligru", R"(
cell ligru(x: [E]; h: [H]) {  # Ravanelli et al. 2018; layer norm for batch norm
  param Wz, Wn: [E, H] ~ glorot
  param Uz, Un: [H, H] ~ orthogonal

  z  = sigmoid(layer_norm(x @ Wz) + h @ Uz)
  h' = z * h + (1 - z) * relu(layer_norm(x @ Wn) + h @ Un)
}
)"},
      {"min_gru", R"(
cell min_gru(x: [E]; h: [H]) {  # Feng et al. 2024: gates see x only
  param Wz, Wn: [E, H] ~ glorot
  z  = sigmoid(x @ Wz)
  h' = (1 - z) * h + z * (x @ Wn)
}
)"},
      {"min_lstm", R"(
cell min_lstm(x: [E]; h: [H]) {
  param Wf, Wi, Wn: [E, H] ~ glorot
  f  = sigmoid(x @ Wf)
  i  = sigmoid(x @ Wi)
  h' = (f * h + i * (x @ Wn)) / (f + i)
}
)"},
      {"ind_rnn", R"(
cell ind_rnn(x: [E]; h: [H]) {  # Li et al. 2018
  param W: [E, H] ~ he
  param u: [H] ~ uniform(1)
  param b: [H] = 0
  h' = relu(x @ W + u * h + b)
}
)"},
      {"irnn", R"(
cell irnn(x: [E]; h: [H]) {  # Le, Jaitly and Hinton 2015
  param W: [E, H] ~ normal(0.001)
  param U: [H, H] ~ identity
  param b: [H] = 0
  h' = relu(x @ W + h @ U + b)
}
)"},
      {"sru", R"(
cell sru(x: [H]; c: [H]) -> (h: [H]) {  # Lei et al. 2018; the result is not the state
  param W, Wf, Wr: [H, H] ~ glorot
  param vf, vr, bf, br: [H] = 0
  f  = sigmoid(x @ Wf + vf * c + bf)
  r  = sigmoid(x @ Wr + vr * c + br)
  c' = f * c + (1 - f) * (x @ W)
  h  = r * c' + (1 - r) * x
}
)"},
      {"qrnn", R"(
cell qrnn(x: [E]; c: [H]) -> (h: [H]) {  # Bradbury et al. 2017, window of two
  param Wz, Wf, Wo: [2*E, H] ~ glorot
  w  = window(x, 2)
  f  = sigmoid(w @ Wf)
  c' = f * c + (1 - f) * tanh(w @ Wz)
  h  = sigmoid(w @ Wo) * c'
}
)"},
      {"time_mix", R"(
cell time_mix(x: [D]; a: [D], b: [D], p: [D]) -> (y: [D]) {  # RWKV-4 (Peng et al. 2023)
  param Wr, Wk, Wv, Wo: [D, D] ~ glorot
  param mr, mk, mv: [D] = 0.5
  param w: [D] ~ normal(0.5)
  param u: [D] ~ normal(0.5)

  l  = delay(x)
  r  = sigmoid((mr * x + (1 - mr) * l) @ Wr)
  k  = (mk * x + (1 - mk) * l) @ Wk
  v  = (mv * x + (1 - mv) * l) @ Wv
  q  = max(p, u + k)
  e  = exp(p - q)
  g  = exp(u + k - q)
  y  = (r * (e * a + g * v) / (e * b + g)) @ Wo
  p' = max(p - exp(w), k)
  a' = exp(p - exp(w) - p') * a + exp(k - p') * v
  b' = exp(p - exp(w) - p') * b + exp(k - p')
}
)"},
  };
  return cells.at(name);
}

}  // namespace rnnc::test
