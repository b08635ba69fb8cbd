module.exports = {
  mode: 'production',
  target: 'node',
  entry: './once.ts',
  output: { path: `${__dirname}/out` },
  resolve: { extensions: ['.ts', '.js'] },
  module: { rules: [{ test: /\.ts$/, loader: 'ts-loader', options: { transpileOnly: true } }] },
}
