/** Three courses of stones, in the colour of the text around. */
export const ICON = {
  body: '<path fill="currentColor" d="M3 4h8v4H3zm10 0h8v4h-8zM3 10h4v4H3zm6 0h6v4H9zm8 0h4v4h-4zM3 16h8v4H3zm10 0h8v4h-8z"/>',
  width: 24,
  height: 24,
} as const;
