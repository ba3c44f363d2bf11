import { defineConfig, globalIgnores } from 'eslint/config';
import eslint from '@eslint/js';
import tseslint from 'typescript-eslint';

export default defineConfig(
  globalIgnores([
    'build/',
    'dist/',
    'docs/api/',
    '.libtorch/',
    '.libjpeg-turbo/',
    'bench/peers/',
    'test/deploy/apps/',
  ]),
  eslint.configs.recommended,
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.strictTypeChecked, tseslint.configs.stylisticTypeChecked],
    languageOptions: {
      parserOptions: {
        project: ['tsconfig.json', 'test/tsconfig.json'],
        tsconfigRootDir: import.meta.dirname,
      },
    },
    rules: {
      '@typescript-eslint/restrict-template-expressions': [
        'error',
        { allowNumber: true, allowBoolean: true },
      ],
    },
  },
  {
    files: ['lib/**/*.ts'],
    rules: {
      // What is loaded at its first use: import() would need an ES module loader, which Jest has not.
      '@typescript-eslint/no-require-imports': 'off',
      // Globals of Node that jsdom has not: import them.
      'no-restricted-globals': [
        'error',
        'TextDecoder',
        'TextEncoder',
        'setImmediate',
        'clearImmediate',
        'structuredClone',
      ],
    },
  },
  {
    files: ['**/*.{js,mjs,cjs}'],
    languageOptions: {
      globals: {
        process: 'readonly',
        console: 'readonly',
        fetch: 'readonly',
        URL: 'readonly',
        Buffer: 'readonly',
        setTimeout: 'readonly',
        require: 'readonly',
        module: 'readonly',
        exports: 'readonly',
        __dirname: 'readonly',
        performance: 'readonly',
        AbortController: 'readonly',
        AbortSignal: 'readonly',
        structuredClone: 'readonly',
        MessageChannel: 'readonly',
        setImmediate: 'readonly',
        clearTimeout: 'readonly',
        Blob: 'readonly',
        FormData: 'readonly',
      },
    },
  },
);
